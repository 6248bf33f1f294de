import { createClient } from "@connectrpc/connect";
import { KeyService } from "@kinora/proto-user";
import { createClientTransport, type Logger } from "@kinora/rpc";
import { createKeyCredential, localCredential } from "@kinora/service";
import type { EncoderConfig } from "./config.ts";

/** What the encoder shows the user service. */
export type EncoderCredential = { token: string | ((signal?: AbortSignal) => Promise<string>); close(): void };

/** The access token of the encoder's API key, which is good at the user service alone. It is asked for when the first is needed, so the user service may start later. */
export async function encoderCredential(
  config: EncoderConfig,
  dataDir: string,
  logger: Logger,
): Promise<EncoderCredential> {
  if (config.ENCODER_API_KEY === undefined && config.SERVICE_TOKEN !== undefined) {
    logger.warn(
      {},
      "SERVICE_TOKEN is deprecated and goes with 0.3: give the encoder an ENCODER_API_KEY (docs/operating.md)",
    );
    return { token: config.SERVICE_TOKEN, close() {} };
  }
  const key = config.ENCODER_API_KEY ?? (await localCredential(dataDir, "encoder-key"));
  // One of its own: the exchange itself carries no token.
  const transport = createClientTransport({ baseUrl: config.USER_URL });
  const keys = createClient(KeyService, transport);
  const credential = createKeyCredential({
    logger,
    exchange: (signal) => keys.exchangeKey({ key, audiences: ["user"] }, { signal }),
  });
  return {
    token: (signal) => credential.token(signal),
    close() {
      credential.close();
      transport.close();
    },
  };
}
