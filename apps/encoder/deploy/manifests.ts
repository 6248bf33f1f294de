import { type Manifests, serviceManifests, type Target } from "@kinora/kubernetes";
import { environments } from "./environments.ts";

/** The encoder's control plane in Kubernetes. */
export function manifests(target: Target): Manifests {
  const { environment, ports } = target;
  return serviceManifests(
    {
      name: "encoder",
      team: "encoder",
      public: true,
      metrics: true,
      migrations: true,
      calls: ["user"],
      reaches: ["database", "objects", "internet"],
      settings: {
        PUBLIC_URL: environment.publicUrl,
        STORAGE_URL: environment.storageUrl,
        INTERNAL_URL: `http://encoder:${ports.encoder}`,
        USER_URL: `dns:///user:${ports.user}`,
        USER_PUBLIC_URL: environment.publicUrl,
      },
      secrets: ["DATABASE_URL", "ENCODER_API_KEY", "METRICS_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"],
      // The first is for later (docs/operating.md); the others are gone with 0.3, and whoever comes from an earlier release still has them.
      optionalSecrets: ["SEALING_SECRET", "SERVICE_TOKEN", "WORKER_TOKEN"],
      resources: { cpu: "500m", memory: "512Mi", memoryLimit: "1Gi", ephemeralStorage: "12Gi" },
      // Parts of uploads under way lie here for a while.
      dataSize: "10Gi",
      temporarySize: "1Gi",
      replicas: environments[environment.name].replicas,
    },
    target,
  );
}
