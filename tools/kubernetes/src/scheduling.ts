import { PodDisruptionBudget } from "kubernetes-models/policy/v1/PodDisruptionBudget";
import type { IPodSpec } from "kubernetes-models/v1/PodSpec";
import { type Component, labelsOf, selectorOf } from "./labels.ts";
import type { ContainerSpec } from "./service-spec.ts";

/** Replicas on different nodes, where there are several. */
export function spread(spec: ContainerSpec, component: Component): NonNullable<IPodSpec["topologySpreadConstraints"]> {
  return [
    {
      maxSkew: 1,
      topologyKey: "kubernetes.io/hostname",
      whenUnsatisfiable: "ScheduleAnyway",
      labelSelector: { matchLabels: selectorOf(spec, component) },
    },
  ];
}

/** How many pods may be away while nodes are emptied: a number, or a share such as "20%". */
export function disruptionBudget(
  spec: ContainerSpec,
  namespace: string,
  component: Component,
  maxUnavailable: number | string,
): PodDisruptionBudget {
  return new PodDisruptionBudget({
    metadata: { name: spec.name, namespace, labels: labelsOf(spec) },
    spec: { maxUnavailable, selector: { matchLabels: selectorOf(spec, component) } },
  });
}
