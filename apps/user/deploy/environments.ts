import type { EnvironmentName } from "@kinora/kubernetes";

type Settings = {
  replicas: { min: number; max: number };
  signUp: string;
};

/** What differs between the environments. */
export const environments: Record<EnvironmentName, Settings> = {
  staging: { replicas: { min: 1, max: 2 }, signUp: "closed" },
  production: { replicas: { min: 2, max: 10 }, signUp: "open" },
};
