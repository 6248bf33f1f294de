import { Deployment } from "kubernetes-models/apps/v1/Deployment";
import { HorizontalPodAutoscaler } from "kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler";
import { Service } from "kubernetes-models/v1/Service";
import type { EnvironmentName } from "../deploy/environments.ts";
import type { Environment } from "./environment.ts";
import { labelsOf, podLabels, selectorOf } from "./labels.ts";
import type { Manifest } from "./manifest.ts";
import { migrationJob } from "./migration-job.ts";
import { ingressOf, networkPolicy } from "./network-policy.ts";
import { podOf } from "./pod.ts";
import { type Placed, type Ports, place } from "./ports.ts";
import { probesOf } from "./probes.ts";
import { disruptionBudget, spread } from "./scheduling.ts";
import { serviceAccount } from "./service-account.ts";
import type { ServiceSpec } from "./service-spec.ts";

/** What a render is told: where to, which image, and where each service listens. */
export type Target = { environment: Environment & { name: EnvironmentName }; image: string; ports: Ports };

/** The objects of one service. `before` is applied first and has to be done before `objects` is applied. */
export type Manifests = { before: Manifest[]; objects: Manifest[] };

/** Everything that a service needs in Kubernetes. */
export function serviceManifests(unplaced: ServiceSpec, { environment, image, ports }: Target): Manifests {
  const spec = place(unplaced, ports);
  const { namespace } = environment;
  const account = serviceAccount(spec, namespace);
  const policy = networkPolicy(spec, { environment, ingress: ingressOf(spec), ports });
  return {
    // The Job needs an account, and the way to its database.
    before: spec.migrations ? [account, policy, migrationJob(spec, environment, image)] : [],
    objects: [
      ...(spec.migrations ? [] : [account, policy]),
      headlessService(spec, namespace),
      deployment(spec, environment, image),
      disruptionBudget(spec, namespace, "server", 1),
      autoscaler(spec, namespace),
    ],
  };
}

/** Headless: its name has the addresses of all ready pods, and callers balance each call over them by `dns:///`. Behind a single address, HTTP/2 would keep to one pod. */
function headlessService(spec: Placed<ServiceSpec>, namespace: string): Service {
  return new Service({
    metadata: { name: spec.name, namespace, labels: labelsOf(spec) },
    spec: {
      clusterIP: "None",
      selector: selectorOf(spec, "server"),
      ports: [{ name: "grpc", port: spec.port, targetPort: "grpc", protocol: "TCP", appProtocol: "kubernetes.io/h2c" }],
    },
  });
}

/** Its number of replicas is the autoscaler's business, so it isn't named here: to apply this again must not change it. */
function deployment(spec: Placed<ServiceSpec>, environment: Environment, image: string): Deployment {
  return new Deployment({
    metadata: { name: spec.name, namespace: environment.namespace, labels: labelsOf(spec) },
    spec: {
      selector: { matchLabels: selectorOf(spec, "server") },
      // The new version has to be ready before an old pod goes.
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      minReadySeconds: 5,
      progressDeadlineSeconds: 600,
      revisionHistoryLimit: 3,
      template: {
        metadata: { labels: podLabels(spec, "server") },
        spec: podOf(spec, {
          environment,
          image,
          listens: true,
          ...probesOf(spec.port),
          // Callers hear of a pod's end by DNS, which takes a while; it serves on meanwhile. Then it has 5 s to end by itself.
          lifecycle: { preStop: { sleep: { seconds: 10 } } },
          terminationGracePeriodSeconds: 30,
          topologySpreadConstraints: spread(spec, "server"),
        }),
      },
    },
  });
}

function autoscaler(spec: Placed<ServiceSpec>, namespace: string): HorizontalPodAutoscaler {
  return new HorizontalPodAutoscaler({
    metadata: { name: spec.name, namespace, labels: labelsOf(spec) },
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: spec.name },
      minReplicas: spec.replicas.min,
      maxReplicas: spec.replicas.max,
      metrics: [
        {
          type: "Resource",
          resource: { name: "cpu", target: { type: "Utilization", averageUtilization: spec.cpuPercent ?? 70 } },
        },
      ],
      behavior: { scaleDown: { stabilizationWindowSeconds: 300 } },
    },
  });
}
