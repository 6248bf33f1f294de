import { ScaledObject } from "@kubernetes-models/keda/keda.sh/v1alpha1/ScaledObject";
import { TriggerAuthentication } from "@kubernetes-models/keda/keda.sh/v1alpha1/TriggerAuthentication";
import { Deployment } from "kubernetes-models/apps/v1/Deployment";
import type { Environment } from "./environment.ts";
import { labelsOf, podLabels, selectorOf } from "./labels.ts";
import { networkPolicy } from "./network-policy.ts";
import { podOf } from "./pod.ts";
import { type Placed, place } from "./ports.ts";
import { probesOf } from "./probes.ts";
import { wholeCores } from "./quantity.ts";
import { disruptionBudget, spread } from "./scheduling.ts";
import { serviceAccount } from "./service-account.ts";
import type { Manifests, Target } from "./service-manifests.ts";
import type { WorkerSpec } from "./service-spec.ts";

/** Seconds on top of a drain: to hand back what isn't done, and to end. */
const endSeconds = 15;

/** Everything that a fleet of workers needs in Kubernetes. No Service: nobody calls them. */
export function workerManifests(unplaced: WorkerSpec, { environment, image, ports }: Target): Manifests {
  const spec = place(unplaced, ports);
  const { namespace } = environment;
  return {
    before: [],
    objects: [
      serviceAccount(spec, namespace),
      networkPolicy(spec, { environment, ingress: { from: [] }, ports }),
      deployment(spec, environment, image),
      disruptionBudget(spec, namespace, "worker", "20%"),
      triggerAuthentication(spec, namespace),
      scaledObject(spec, namespace),
    ],
  };
}

function deployment(spec: Placed<WorkerSpec>, environment: Environment, image: string): Deployment {
  const { gpu } = spec;
  return new Deployment({
    metadata: { name: spec.name, namespace: environment.namespace, labels: labelsOf(spec) },
    spec: {
      selector: { matchLabels: selectorOf(spec, "worker") },
      // A GPU that is taken can't be had twice: room for the new version is made by ending workers of the old one, which end what they have first.
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 0, maxUnavailable: "25%" } },
      progressDeadlineSeconds: spec.drainSeconds + 600,
      revisionHistoryLimit: 3,
      template: {
        metadata: { labels: podLabels(spec, "worker") },
        spec: podOf(spec, {
          environment,
          image,
          listens: true,
          // Without a limit on its CPU, a pod sees all cores of its node.
          settings: { WORKER_SLOTS: String(spec.slots), WORKER_CORES: String(wholeCores(spec.resources.cpu)) },
          ...probesOf(spec.port),
          // Answers once what the worker has is done. What isn't done by then is handed back, at no cost but the time.
          lifecycle: { preStop: { httpGet: { path: "/drain", port: spec.port } } },
          terminationGracePeriodSeconds: spec.drainSeconds + endSeconds,
          ...(gpu
            ? {
                devices: { [gpu.resource]: 1 },
                nodeSelector: { ...gpu.nodeSelector },
                ...(gpu.taint && { tolerations: [{ key: gpu.taint, operator: "Exists", effect: "NoSchedule" }] }),
              }
            : { topologySpreadConstraints: spread(spec, "worker") }),
        }),
      },
    },
  });
}

/** KEDA shows the encoder a credential that opens this one number. */
function triggerAuthentication(spec: Placed<WorkerSpec>, namespace: string): TriggerAuthentication {
  const { name, key } = spec.backlog.tokenSecret;
  return new TriggerAuthentication({
    metadata: { name: spec.name, namespace, labels: labelsOf(spec) },
    spec: { secretTargetRef: [{ parameter: "token", name, key }] },
  });
}

/** As many workers as there are tasks that wait or are under way, by their slots: none for none. */
function scaledObject(spec: Placed<WorkerSpec>, namespace: string): ScaledObject {
  return new ScaledObject({
    metadata: { name: spec.name, namespace, labels: labelsOf(spec) },
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: spec.name },
      minReplicaCount: 0,
      maxReplicaCount: spec.replicas.max,
      pollingInterval: 10,
      // From one to none: a GPU node takes minutes to come back.
      cooldownPeriod: 600,
      // An encoder that doesn't answer says nothing about how many workers it needs.
      fallback: { failureThreshold: 3, replicas: 0, behavior: "currentReplicas" },
      advanced: {
        horizontalPodAutoscalerConfig: {
          behavior: {
            scaleUp: {
              stabilizationWindowSeconds: 0,
              policies: [
                { type: "Percent", value: 400, periodSeconds: 15 },
                { type: "Pods", value: 10, periodSeconds: 15 },
              ],
            },
            // Slowly: which pods go isn't ours to choose, and a worker that goes ends its tasks first.
            scaleDown: {
              stabilizationWindowSeconds: 300,
              policies: [{ type: "Percent", value: 50, periodSeconds: 60 }],
            },
          },
        },
      },
      triggers: [
        {
          type: "metrics-api",
          metricType: "AverageValue",
          metadata: {
            url: spec.backlog.url,
            valueLocation: spec.backlog.valueLocation,
            targetValue: String(spec.slots),
            activationTargetValue: "0",
            authMode: "bearer",
          },
          authenticationRef: { name: spec.name },
        },
      ],
    },
  });
}
