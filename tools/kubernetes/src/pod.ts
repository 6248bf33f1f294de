import type { IContainer } from "kubernetes-models/v1/Container";
import type { IEnvVar } from "kubernetes-models/v1/EnvVar";
import type { IPodSpec } from "kubernetes-models/v1/PodSpec";
import type { Environment } from "./environment.ts";
import type { Placed } from "./ports.ts";
import type { ContainerSpec } from "./service-spec.ts";

/** The user of our images. */
const uid = 65_532;

/** What differs between the pods of a service, of a worker and of a migration. */
export type PodOptions = {
  image: string;
  environment: Environment;
  args?: string[];
  settings?: Readonly<Record<string, string>>;
} & Pick<IContainer, "startupProbe" | "readinessProbe" | "livenessProbe" | "lifecycle"> &
  Pick<IPodSpec, "terminationGracePeriodSeconds" | "nodeSelector" | "tolerations" | "topologySpreadConstraints"> & {
    /** Extended resources, such as a GPU. */
    devices?: Readonly<Record<string, number>>;
    listens?: boolean;
    restartPolicy?: "Never";
  };

/** A pod that passes the "restricted" Pod Security Standard and writes to nothing but its own empty folders. */
export function podOf(spec: Placed<ContainerSpec>, options: PodOptions): IPodSpec {
  const { resources } = spec;
  const devices = options.devices ?? {};
  const storage = resources.ephemeralStorage === undefined ? {} : { "ephemeral-storage": resources.ephemeralStorage };
  const container: IContainer = {
    name: spec.name,
    image: options.image,
    imagePullPolicy: "IfNotPresent",
    ...(options.args && { args: options.args }),
    env: environmentOf(spec, options),
    ...(options.listens && { ports: [{ name: "grpc", containerPort: spec.port, protocol: "TCP" }] }),
    resources: {
      requests: { cpu: resources.cpu, memory: resources.memory, ...storage },
      // No limit on the CPU: it would slow down a process that could use what nobody else wants.
      limits: { memory: resources.memoryLimit ?? resources.memory, ...storage, ...devices },
    },
    ...(options.startupProbe && { startupProbe: options.startupProbe }),
    ...(options.readinessProbe && { readinessProbe: options.readinessProbe }),
    ...(options.livenessProbe && { livenessProbe: options.livenessProbe }),
    ...(options.lifecycle && { lifecycle: options.lifecycle }),
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      capabilities: { drop: ["ALL"] },
    },
    volumeMounts: [
      { name: "data", mountPath: "/data" },
      { name: "tmp", mountPath: "/tmp" },
    ],
  };
  return {
    serviceAccountName: spec.name,
    automountServiceAccountToken: false,
    // Kubernetes would set ENCODER_PORT=tcp://… and the like for every Service.
    enableServiceLinks: false,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: uid,
      runAsGroup: uid,
      fsGroup: uid,
      seccompProfile: { type: "RuntimeDefault" },
    },
    ...(options.restartPolicy && { restartPolicy: options.restartPolicy }),
    ...(options.terminationGracePeriodSeconds !== undefined && {
      terminationGracePeriodSeconds: options.terminationGracePeriodSeconds,
    }),
    ...(options.nodeSelector && { nodeSelector: options.nodeSelector }),
    ...(options.tolerations && { tolerations: options.tolerations }),
    ...(options.topologySpreadConstraints && { topologySpreadConstraints: options.topologySpreadConstraints }),
    containers: [container],
    volumes: [
      { name: "data", emptyDir: { sizeLimit: spec.dataSize } },
      { name: "tmp", emptyDir: { sizeLimit: spec.temporarySize ?? "64Mi" } },
    ],
  };
}

function environmentOf(spec: Placed<ContainerSpec>, { environment, settings }: PodOptions): IEnvVar[] {
  const plain: Record<string, string> = {
    HOST: "0.0.0.0",
    PORT: String(spec.port),
    KINORA_DATA: "/data",
    LOG_FORMAT: "json",
    ...(environment.telemetry && { OTEL_EXPORTER_OTLP_ENDPOINT: environment.telemetry.endpoint }),
    ...spec.settings,
    ...settings,
  };
  const secret = (key: string, optional: { optional?: true } = {}) => ({
    name: key,
    valueFrom: { secretKeyRef: { name: spec.app ?? spec.name, key, ...optional } },
  });
  return [
    ...Object.entries(plain).map(([name, value]) => ({ name, value })),
    ...spec.secrets.map((key) => secret(key)),
    ...(spec.optionalSecrets ?? []).map((key) => secret(key, { optional: true })),
  ];
}
