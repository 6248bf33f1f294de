import type { EnvironmentName } from "@kinora/kubernetes";

/** What differs between the environments. */
export const environments: Record<EnvironmentName, { replicas: { min: number; max: number }; signUp: string }> = {
  staging: { replicas: { min: 1, max: 2 }, signUp: "closed" },
  production: { replicas: { min: 2, max: 10 }, signUp: "open" },
};
