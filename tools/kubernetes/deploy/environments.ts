import type { Environment } from "../src/environment.ts";

const anywhere = "0.0.0.0/0";
/** What "the internet" doesn't mean: this cluster, its nodes, and their cloud's metadata. */
const inside = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10"];

const internet = { cidrs: [anywhere], except: inside, ports: [443] };

/** The environments: change the addresses to yours. Each service's own part is in its folder, `apps/SERVICE/deploy`. */
export const environments = {
  staging: {
    name: "staging",
    namespace: "kinora-staging",
    publicUrl: "https://staging.video.example.org",
    storageUrl: "s3://kinora-staging?endpoint=https://s3.example.org",
    mailFrom: "Kinora <staging@video.example.org>",
    registry: "registry.example.org/kinora",
    gatewayNamespace: "gateway",
    gatewayNetworks: ["192.0.2.0/24"],
    kedaNamespace: "keda",
    destinations: {
      database: { cidrs: ["10.20.0.0/24"], ports: [5432] },
      objects: internet,
      internet,
      mail: { cidrs: [anywhere], except: inside, ports: [465, 587] },
    },
  },
  production: {
    name: "production",
    namespace: "kinora",
    publicUrl: "https://video.example.org",
    storageUrl: "s3://kinora?endpoint=https://s3.example.org",
    mailFrom: "Kinora <kinora@video.example.org>",
    registry: "registry.example.org/kinora",
    gatewayNamespace: "gateway",
    gatewayNetworks: ["192.0.2.0/24"],
    kedaNamespace: "keda",
    telemetry: { namespace: "telemetry", port: 4318, endpoint: "http://collector.telemetry:4318" },
    destinations: {
      database: { cidrs: ["10.30.0.0/24"], ports: [5432] },
      objects: internet,
      internet,
      mail: { cidrs: [anywhere], except: inside, ports: [465, 587] },
    },
  },
} as const satisfies Record<string, Environment>;

export type EnvironmentName = keyof typeof environments;
