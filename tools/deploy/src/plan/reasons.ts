type Inputs = Readonly<Record<string, string>>;

/** What differs between the inputs that are deployed and those that would be, in words; the order is that of the names. */
export function reasonsFor(deployed: Inputs, candidate: Inputs): string[] {
  const names = [...new Set([...Object.keys(deployed), ...Object.keys(candidate)])].sort();
  return names
    .filter((name) => deployed[name] !== candidate[name])
    .map((name) => describe(name, deployed[name], candidate[name]));
}

function describe(name: string, before: string | undefined, after: string | undefined): string {
  const [kind, ...rest] = name.split(" ");
  const what = rest.join(" ");
  if (kind === "project") return `the configuration of project ${what} ${change(before, after)}`;
  if (kind !== "package") return `${what} ${change(before, after)}`;
  const [from, to] = [before, after].map((value) => value?.split(" ")[0]);
  if (from === undefined) return `package ${what} ${to} added`;
  if (to === undefined) return `package ${what} ${from} removed`;
  return from === to ? `package ${what} ${to} has other content` : `package ${what} ${from} → ${to}`;
}

function change(before: string | undefined, after: string | undefined): string {
  if (before === undefined) return "added";
  return after === undefined ? "removed" : "changed";
}
