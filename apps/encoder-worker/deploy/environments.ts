import type { EnvironmentName } from "@kinora/kubernetes";

/** What differs between the environments: how many workers there may be, on CPUs and on GPUs. */
export const environments: Record<EnvironmentName, { cpu: { max: number }; gpu?: { max: number } }> = {
  staging: { cpu: { max: 2 } },
  production: { cpu: { max: 50 }, gpu: { max: 100 } },
};
