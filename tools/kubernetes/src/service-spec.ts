import type { DestinationName } from "./environment.ts";

/** Requests and limits of a container, in Kubernetes' units: "250m" CPUs, "256Mi" bytes. */
export type Resources = { cpu: string; memory: string; memoryLimit?: string; ephemeralStorage?: string };

/** What every one of our containers is made of. */
export type ContainerSpec = {
  /** Name of its Deployment, Service and ServiceAccount. */
  name: string;
  /** The app whose image, port and Secret it has; the one of its name unless given. */
  app?: string;
  /** Label for whom to ask: "user". */
  team: string;
  /** Plain settings. PORT, HOST, KINORA_DATA, LOG_FORMAT and the collector's address are there without being named. */
  settings?: Readonly<Record<string, string>>;
  /** Keys of the Secret named like the app, each of which becomes the environment variable of the same name. */
  secrets: readonly string[];
  /** Such keys that the Secret may lack. */
  optionalSecrets?: readonly string[];
  /** Services that it calls: their network policies let it in by this, and its own lets it out. */
  calls?: readonly string[];
  /** Places outside of our services that it reaches. */
  reaches?: readonly DestinationName[];
  resources: Resources;
  /** Room for KINORA_DATA, which doesn't outlive the pod. */
  dataSize: string;
  /** Room for /tmp; 64Mi unless given. */
  temporarySize?: string;
};

/** A service that others call and that scales by the CPU that it uses. */
export type ServiceSpec = ContainerSpec & {
  /** Whether requests from outside of the cluster come to it. */
  public: boolean;
  /** Whether KEDA asks it for a metric. */
  metrics?: boolean;
  replicas: { min: number; max: number };
  /** Share of the requested CPU at which there are to be more replicas, in percent; 70 unless given. */
  cpuPercent?: number;
  /** Whether it has tables: a Job then brings them up to date before the new version comes. */
  migrations: boolean;
};

/** Workers: nobody calls them; they lease tasks, and there are as many as there is work. */
export type WorkerSpec = ContainerSpec & {
  /** From none, which is what an idle installation costs, to this many. */
  replicas: { max: number };
  /** Tasks that one worker does at the same time. */
  slots: number;
  /** Where the number of tasks is told: a JSON document with a number at `valueLocation` (GJSON). */
  backlog: { url: string; valueLocation: string; tokenSecret: { name: string; key: string } };
  /** Seconds that a worker may take to end what it has before it hands the rest back. */
  drainSeconds: number;
  /** A GPU for each worker; on the CPU without it. */
  gpu?: { nodeSelector: Readonly<Record<string, string>>; resource: string; taint?: string };
};
