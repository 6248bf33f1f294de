import { Job } from "kubernetes-models/batch/v1/Job";
import type { Environment } from "./environment.ts";
import { podLabels } from "./labels.ts";
import { podOf } from "./pod.ts";
import type { Placed } from "./ports.ts";
import type { ServiceSpec } from "./service-spec.ts";
import { versionOf } from "./version.ts";

/**
 * Brings the service's tables up to date, from the new image, before its pods come: a migration that fails stops the deploy while the old version serves on. Its name carries the image's
 * version, because a Job can't be changed. What it runs only expands (libs/database), so that the old version goes on working with the new tables.
 */
export function migrationJob(spec: Placed<ServiceSpec>, environment: Environment, image: string): Job {
  const labels = podLabels(spec, "migration");
  return new Job({
    metadata: {
      name: `${spec.name}-migrate-${versionOf(image)}`,
      namespace: environment.namespace,
      labels,
    },
    spec: {
      backoffLimit: 3,
      activeDeadlineSeconds: 900,
      ttlSecondsAfterFinished: 86_400,
      template: {
        metadata: { labels },
        spec: podOf(spec, { image, environment, args: ["--migrate"], restartPolicy: "Never" }),
      },
    },
  });
}
