import type { Plan } from "./plan.ts";

/** How many reasons a person sees of one service; `--json` has them all. */
const shown = 6;

/** The plan for people. */
export function describePlan(plan: Plan): string {
  const lines: string[] = [];
  if (plan.everything !== null) lines.push(`Everything goes out to ${plan.environment}: ${plan.everything}`, "");
  const width = Math.max(
    7,
    ...plan.include.map(({ service }) => service.length),
    ...plan.unchanged.map((name) => name.length),
  );
  const stateWidth = Math.max("unchanged".length, plan.environment.length);
  const row = (service: string, state: string, why: string): void => {
    lines.push(`${service.padEnd(width)}  ${state.padEnd(stateWidth)}  ${why}`.trimEnd());
  };
  row("service", plan.environment, "why");
  for (const { service, reasons } of plan.include) {
    reasons.slice(0, shown).forEach((reason, index) => {
      row(index === 0 ? service : "", index === 0 ? "due" : "", reason);
    });
    if (reasons.length > shown) row("", "", `and ${reasons.length - shown} more (--json has all)`);
  }
  for (const service of plan.unchanged) row(service, "unchanged", "");
  return lines.join("\n");
}
