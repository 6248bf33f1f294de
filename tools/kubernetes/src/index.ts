/** A service's objects for Kubernetes from a few lines about it: what each app's `deploy/manifests.ts` is written with. */
export type { EnvironmentName } from "../deploy/environments.ts";
export type { Destination, DestinationName, Environment } from "./environment.ts";
export type { Manifest } from "./manifest.ts";
export { type Manifests, serviceManifests, type Target } from "./service-manifests.ts";
export type { ContainerSpec, Resources, ServiceSpec, WorkerSpec } from "./service-spec.ts";
export { workerManifests } from "./worker-manifests.ts";
