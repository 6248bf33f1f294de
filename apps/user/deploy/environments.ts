import type { EnvironmentName } from "@kinora/kubernetes";

type Settings = {
  replicas: { min: number; max: number };
  signUp: string;
  /** The network of the gateway's pods, such as `10.42.0.0/16`: attempts to log in count for its callers then. */
  trustedProxies: string;
};

/** What differs between the environments. */
export const environments: Record<EnvironmentName, Settings> = {
  staging: { replicas: { min: 1, max: 2 }, signUp: "closed", trustedProxies: "" },
  production: { replicas: { min: 2, max: 10 }, signUp: "open", trustedProxies: "" },
};
