/** What the generator is asked for. */
export type ServiceOptions = { name: string; calls?: string | undefined; team?: string | undefined };

/** What a new service is to be. */
export type ServicePlan = {
  /** "billing" */
  name: string;
  /** "Billing", for names of types and services. */
  title: string;
  team: string;
  port: number;
  /** Other services that it calls, by name, with where they listen here; the user service among them. */
  calls: readonly { name: string; port: number }[];
};

/** What is there already. */
export type Surroundings = {
  /** Every path that exists, below the workspace, of those asked for. */
  exists(path: string): boolean;
  /** Where deployed apps listen. */
  ports: Readonly<Record<string, number>>;
};

/** Names that something else has, without being a folder that would show it. */
const reserved = ["common", "kinora", "google", "buf", "grpc", "workspace", "lib", "proto", "app"];

/** @throws {Error} with a sentence for the person: nothing is made then */
export function planService(options: ServiceOptions, { exists, ports }: Surroundings): ServicePlan {
  const { name, team = name } = options;
  if (!/^[a-z][a-z0-9]{1,19}$/.test(name)) {
    throw new Error(
      `"${name}" can't be the name of a service: 2 to 20 small letters and digits, a letter first, such as billing.`,
    );
  }
  if (!/^[a-z][a-z0-9-]{0,38}$/.test(team)) {
    throw new Error(`"${team}" can't be the name of a team: small letters, digits and hyphens, such as billing.`);
  }
  const taken = [...placesOf(name), `tools/${name}`].find(exists);
  if (taken !== undefined) throw new Error(`There is ${taken} already. Choose another name, or remove what is there.`);
  if (reserved.includes(name))
    throw new Error(`"${name}" can't be the name of a service: it is used for something else.`);

  const asked = (options.calls ?? "").split(",").map((call) => call.trim());
  const calls = [...new Set(["user", ...asked.filter((call) => call !== "")])].sort();
  for (const call of calls) {
    if (ports[call] === undefined || !exists(`proto/${call}`)) {
      const known = Object.keys(ports).filter((candidate) => exists(`proto/${candidate}`));
      throw new Error(`There is no service "${call}" to call. There are: ${known.sort().join(", ")}.`);
    }
  }
  return {
    name,
    title: `${name[0]?.toUpperCase()}${name.slice(1)}`,
    team,
    port: Math.max(8080, ...Object.values(ports)) + 1,
    calls: calls.map((call) => ({ name: call, port: ports[call] ?? 0 })),
  };
}

/** What is a service's own: all of it is made by the generator, and none of it may be there before. */
export function placesOf(name: string): string[] {
  return [
    `proto/${name}`,
    `proto/buf.gen.${name}.yaml`,
    `libs/proto/${name}`,
    `libs/${name}`,
    `apps/${name}`,
    `.github/workflows/deploy-${name}.yml`,
  ];
}
