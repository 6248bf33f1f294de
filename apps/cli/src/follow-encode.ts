import { Code, ConnectError } from "@connectrpc/connect";
import { type Encode, EncodeState } from "@kinora/proto-encoder";
import { backOff } from "./back-off.ts";
import type { EncoderClient, TokenSource } from "./clients.ts";
import { CliError } from "./errors.ts";
import { patienceMs } from "./while-away.ts";

/** What following needs. */
export type FollowOptions = {
  encoder: EncoderClient;
  tokens: TokenSource;
  encodeId: string;
  signal: AbortSignal;
  /** The server doesn't answer; another try follows. */
  onWaiting(): void;
};

/** The server sends the state at least once a second: a stream that is silent for this long is dead. */
const silenceMs = 15_000;

/** Whether nothing more happens to an encode. */
export function isFinal(encode: Encode): boolean {
  const { SUCCEEDED, FAILED, CANCELLED } = EncodeState;
  return encode.state === SUCCEEDED || encode.state === FAILED || encode.state === CANCELLED;
}

/**
 * Yields an encode's states up to its final one, through broken connections and restarts of the server. Throws a CliError when the encode is gone
 * or the server stays away.
 */
export async function* followEncode(options: FollowOptions): AsyncGenerator<Encode> {
  const { tokens, signal, onWaiting } = options;
  let lastWord = performance.now();
  let tries = 0;
  let refused: "no" | "once" | "renewed" = "no";
  for (;;) {
    let fault: unknown;
    try {
      if (refused === "once") {
        await tokens.renew(await tokens.token(signal), signal);
        refused = "renewed";
      }
      for await (const encode of watchOnce(options)) {
        lastWord = performance.now();
        tries = 0;
        refused = "no";
        yield encode;
        if (isFinal(encode)) return;
      }
    } catch (error) {
      signal.throwIfAborted();
      fault = error;
      throwIfFinal(error);
      if (ConnectError.from(error).code === Code.Unauthenticated) {
        if (refused === "renewed") throw error;
        refused = "once";
      }
    }
    if (performance.now() - lastWord > patienceMs) {
      throw fault ?? new CliError("The server ends every attempt to follow the encode. Try again later.");
    }
    if (tries > 0) onWaiting();
    await backOff(tries++, signal);
  }
}

/** One stream; ends with an error when it goes silent. */
async function* watchOnce({ encoder, encodeId, signal }: FollowOptions): AsyncGenerator<Encode> {
  const silence = new AbortController();
  const alarm = setTimeout(() => silence.abort(), silenceMs);
  try {
    const answers = encoder.watchEncode(
      { id: encodeId },
      { signal: AbortSignal.any([signal, silence.signal]), timeoutMs: 0 },
    );
    for await (const { encode } of answers) {
      alarm.refresh();
      if (encode) yield encode;
    }
  } finally {
    clearTimeout(alarm);
  }
}

/** Throws for faults that trying again doesn't mend. */
function throwIfFinal(error: unknown): void {
  const { code, cause } = ConnectError.from(error);
  if (cause instanceof CliError) throw cause;
  switch (code) {
    case Code.NotFound:
      throw new CliError("The encode is gone: somebody deleted it.", { cause: error });
    case Code.InvalidArgument:
    case Code.PermissionDenied:
    case Code.Unimplemented:
    case Code.FailedPrecondition:
      throw error;
  }
}
