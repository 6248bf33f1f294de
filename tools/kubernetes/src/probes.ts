import type { IContainer } from "kubernetes-models/v1/Container";

type Probes = Required<Pick<IContainer, "startupProbe" | "readinessProbe" | "livenessProbe">>;

/**
 * Whether calls may come is asked of `grpc.health.v1.Health`, which also says no while the database is away. Whether the process lives is asked of `/healthz`, which doesn't: a restart
 * brings no database back, and would cut off what is under way.
 */
export function probesOf(port: number): Probes {
  const grpc = { port };
  return {
    startupProbe: { grpc, periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 60 },
    readinessProbe: { grpc, periodSeconds: 5, timeoutSeconds: 4, failureThreshold: 2 },
    livenessProbe: { httpGet: { path: "/healthz", port }, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 },
  };
}
