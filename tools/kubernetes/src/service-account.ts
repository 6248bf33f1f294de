import { ServiceAccount } from "kubernetes-models/v1/ServiceAccount";
import { labelsOf } from "./labels.ts";
import type { ContainerSpec } from "./service-spec.ts";

/** An identity of its own for each service, without a token: none of them talks to Kubernetes. */
export function serviceAccount(spec: ContainerSpec, namespace: string): ServiceAccount {
  return new ServiceAccount({
    metadata: { name: spec.name, namespace, labels: labelsOf(spec) },
    automountServiceAccountToken: false,
  });
}
