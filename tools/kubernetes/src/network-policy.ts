import { NetworkPolicy } from "kubernetes-models/networking.k8s.io/v1/NetworkPolicy";
import type { INetworkPolicyEgressRule } from "kubernetes-models/networking.k8s.io/v1/NetworkPolicyEgressRule";
import type { INetworkPolicyIngressRule } from "kubernetes-models/networking.k8s.io/v1/NetworkPolicyIngressRule";
import type { INetworkPolicyPort } from "kubernetes-models/networking.k8s.io/v1/NetworkPolicyPort";
import type { Destination, Environment } from "./environment.ts";
import { callsLabel, labelsOf, selectorOf } from "./labels.ts";
import { type Placed, type Ports, portOf } from "./ports.ts";
import type { ContainerSpec, ServiceSpec } from "./service-spec.ts";

/** Who may call it: "gateway" for requests from outside, "keda" for its metric, "callers" for the services that say that they do. */
export type Ingress = { from: readonly ("gateway" | "keda" | "callers")[] };

/**
 * Nothing goes in or out but what the service's spec names. The namespace denies everything to begin with (deploy/manifests.ts), so that a service without a policy is shut, not open. The
 * probes come from the node, which Kubernetes lets through.
 */
export function networkPolicy(
  spec: Placed<ContainerSpec>,
  { environment, ingress, ports }: { environment: Environment; ingress: Ingress; ports: Ports },
): NetworkPolicy {
  return new NetworkPolicy({
    metadata: { name: spec.name, namespace: environment.namespace, labels: labelsOf(spec) },
    spec: {
      podSelector: { matchLabels: selectorOf(spec) },
      policyTypes: ["Ingress", "Egress"],
      ingress: ingressRules(spec, environment, ingress),
      egress: egressRules(spec, environment, ports),
    },
  });
}

/** Who calls a service: whatever says so, and what its spec allows from outside. */
export function ingressOf(spec: Placed<ServiceSpec>): Ingress {
  return {
    from: ["callers", ...(spec.public ? (["gateway"] as const) : []), ...(spec.metrics ? (["keda"] as const) : [])],
  };
}

function ingressRules(
  spec: Placed<ContainerSpec>,
  environment: Environment,
  { from }: Ingress,
): INetworkPolicyIngressRule[] {
  const peers = {
    callers: { podSelector: { matchLabels: callsLabel(spec.name) } },
    gateway: { namespaceSelector: inNamespace(environment.gatewayNamespace) },
    keda: { namespaceSelector: inNamespace(environment.kedaNamespace) },
  };
  return from.map((who) => ({ from: [peers[who]], ports: [tcp(spec.port)] }));
}

function egressRules(spec: Placed<ContainerSpec>, environment: Environment, ports: Ports): INetworkPolicyEgressRule[] {
  const { telemetry } = environment;
  return [
    {
      to: [
        {
          namespaceSelector: inNamespace("kube-system"),
          podSelector: { matchLabels: { "k8s-app": "kube-dns" } },
        },
      ],
      ports: [{ protocol: "UDP", port: 53 }, tcp(53)],
    },
    ...(spec.calls ?? []).map((name) => ({
      to: [{ podSelector: { matchLabels: selectorOf({ name }) } }],
      ports: [tcp(portOf(name, ports))],
    })),
    ...(telemetry === undefined
      ? []
      : [
          {
            to: [{ namespaceSelector: inNamespace(telemetry.namespace) }],
            ports: [tcp(telemetry.port)],
          },
        ]),
    ...(spec.reaches ?? []).map((name) => towards(environment.destinations[name])),
  ];
}

function towards({ cidrs, ports, except }: Destination): INetworkPolicyEgressRule {
  return {
    to: cidrs.map((cidr) => ({ ipBlock: { cidr, ...(except && { except: [...except] }) } })),
    ports: ports.map(tcp),
  };
}

function tcp(port: number): INetworkPolicyPort {
  return { protocol: "TCP", port };
}

function inNamespace(name: string) {
  return { matchLabels: { "kubernetes.io/metadata.name": name } };
}
