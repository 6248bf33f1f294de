import { type Manifests, serviceManifests, type Target } from "@kinora/kubernetes";
import { environments } from "./environments.ts";

/** The user service in Kubernetes. */
export function manifests(target: Target): Manifests {
  const { environment, ports } = target;
  const { replicas, signUp } = environments[environment.name];
  return serviceManifests(
    {
      name: "user",
      team: "user",
      public: true,
      migrations: true,
      calls: ["encoder"],
      reaches: ["database", "mail"],
      settings: {
        PUBLIC_URL: environment.publicUrl,
        ENCODER_URL: `dns:///encoder:${ports.encoder}`,
        ENCODER_PUBLIC_URL: environment.publicUrl,
        SIGN_UP: signUp,
        MAIL_FROM: environment.mailFrom,
        ...(environment.gatewayNetworks.length > 0 && { TRUSTED_PROXIES: environment.gatewayNetworks.join(",") }),
      },
      secrets: ["DATABASE_URL", "ENCODER_API_KEY", "WORKER_API_KEY", "SIGNING_KEY_SECRET", "SMTP_URL"],
      // Gone with 0.3; whoever comes from an earlier release still has it.
      optionalSecrets: ["SERVICE_TOKEN"],
      resources: { cpu: "250m", memory: "256Mi", memoryLimit: "512Mi" },
      dataSize: "64Mi",
      replicas,
    },
    target,
  );
}
