/** Addresses outside of the cluster, or in it, that a service may open connections to. */
export type Destination = { cidrs: readonly string[]; ports: readonly number[]; except?: readonly string[] };

/** What is the same for all services of one environment: the platform team's data. */
export type Environment = {
  /** As the records and commands name it: "production". */
  name: string;
  namespace: string;
  /** How browsers, players and programs reach Kinora. */
  publicUrl: string;
  /** The bucket of sources and streams, as the encoder's STORAGE_URL. */
  storageUrl: string;
  /** Sender of letters. */
  mailFrom: string;
  /** Where images come from: "registry.example.org/kinora", to which the service's name is added. */
  registry: string;
  /** Namespace of whatever brings requests in from outside (an ingress controller or a gateway). */
  gatewayNamespace: string;
  /**
   * Networks that its pods have addresses of, such as `["10.42.0.0/16"]`, so that attempts to log in count for its callers instead of for it. It must add its caller's address to `X-Forwarded-For`.
   * Empty only where callers' own addresses arrive at the pods.
   */
  gatewayNetworks: readonly string[];
  /** Namespace of KEDA. */
  kedaNamespace: string;
  /** An OpenTelemetry collector in the cluster; no telemetry without it. */
  telemetry?: { namespace: string; port: number; endpoint: string };
  /** What services may reach beside each other, by the names that they ask for it by. */
  destinations: { database: Destination; objects: Destination; internet: Destination; mail: Destination };
};

/** A kind of place that a service may reach. */
export type DestinationName = keyof Environment["destinations"];
