import { type LocalCredential, localCredential } from "./local-credential.ts";

/** The settings about credentials that services and workers shared before each had an API key. */
export type SharedTokensConfig = {
  SHARED_TOKENS: "accepted" | "refused";
  SERVICE_TOKEN: string | undefined;
  WORKER_TOKEN?: string | undefined;
};

/** The shared credentials that this process takes, as `createAuthenticator` wants them: none where they are refused, and then none is made either. */
export async function sharedTokens(
  config: SharedTokensConfig,
  dataDir: string,
  names: readonly Extract<LocalCredential, "service" | "worker">[],
): Promise<{ serviceToken?: string; workerToken?: string }> {
  if (config.SHARED_TOKENS === "refused") return {};
  const { SERVICE_TOKEN, WORKER_TOKEN } = config;
  return {
    ...(names.includes("service") && { serviceToken: SERVICE_TOKEN ?? (await localCredential(dataDir, "service")) }),
    ...(names.includes("worker") && { workerToken: WORKER_TOKEN ?? (await localCredential(dataDir, "worker")) }),
  };
}
