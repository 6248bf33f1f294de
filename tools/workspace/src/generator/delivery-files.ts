import type { ServicePlan } from "./plan-service.ts";

/** The service's own workflow, made of one that is there: they differ in names alone. */
export function workflowOf({ name, team }: ServicePlan, userWorkflow: string): string {
  return userWorkflow
    .replaceAll("deploy-user", `deploy-${name}`)
    .replaceAll("deploy user", `deploy ${name}`)
    .replaceAll("service: user", `service: ${name}`)
    .replaceAll("Team user's", `Team ${team}'s`);
}

/** CODEOWNERS with the service's places, which are its team's. */
export function withOwners(codeowners: string, { name, team }: ServicePlan): string {
  const places = [
    `/proto/${name}/`,
    `/proto/buf.gen.${name}.yaml`,
    `/libs/proto/${name}/`,
    `/libs/${name}/`,
    `/apps/${name}/`,
    `/.github/workflows/deploy-${name}.yml`,
  ];
  const width = Math.max(...places.map((place) => place.length));
  const lines = places.map((place) => `${place.padEnd(width)} @kinora/team-${team}`);
  return `${codeowners.trimEnd()}\n\n${lines.join("\n")}\n`;
}
