import { NetworkPolicy } from "kubernetes-models/networking.k8s.io/v1/NetworkPolicy";
import { Namespace } from "kubernetes-models/v1/Namespace";
import type { Environment } from "../src/environment.ts";
import type { Manifest } from "../src/manifest.ts";

/** What all services of an environment share, and the platform team owns: applied once, before any service. */
export function platformManifests({ namespace }: Environment): Manifest[] {
  const labels = { "app.kubernetes.io/part-of": "kinora", "app.kubernetes.io/managed-by": "kinora-manifests" };
  return [
    new Namespace({
      metadata: {
        name: namespace,
        // Kubernetes itself refuses pods with more rights than ours have.
        labels: { ...labels, "pod-security.kubernetes.io/enforce": "restricted" },
      },
    }),
    // Nothing in and nothing out, until a service's own policy opens what it needs.
    new NetworkPolicy({
      metadata: { name: "deny-all", namespace, labels },
      spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
    }),
  ];
}
