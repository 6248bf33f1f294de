import type { ContainerSpec } from "./service-spec.ts";

type Labelled = Pick<ContainerSpec, "name" | "team" | "calls">;

/** What a pod of a service is there for. */
export type Component = "server" | "worker" | "migration";

/** Selects all pods of a service, or those of one component. Never changes for a Deployment that exists. */
export function selectorOf({ name }: Pick<Labelled, "name">, component?: Component): Record<string, string> {
  return {
    "app.kubernetes.io/name": name,
    "app.kubernetes.io/part-of": "kinora",
    ...(component && { "app.kubernetes.io/component": component }),
  };
}

export function labelsOf(spec: Labelled): Record<string, string> {
  return { ...selectorOf(spec), "app.kubernetes.io/managed-by": "kinora-manifests", "kinora/team": spec.team };
}

/** Whoever carries this label may call the service: a caller says so itself, so that nobody has to edit a neighbour's folder. */
export function callsLabel(service: string): Record<string, string> {
  return { [`kinora/calls-${service}`]: "true" };
}

export function podLabels(spec: Labelled, component: Component): Record<string, string> {
  const calls = component === "migration" ? [] : (spec.calls ?? []);
  return Object.assign(labelsOf(spec), selectorOf(spec, component), ...calls.map(callsLabel));
}
