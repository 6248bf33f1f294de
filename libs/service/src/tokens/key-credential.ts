import { Code, ConnectError } from "@connectrpc/connect";
import { type Logger, untilAborted } from "@kinora/rpc";

/** The access token of an API key, renewed ahead of its end. */
export type KeyCredential = {
  /**
   * A token that is good now. Rejects with a ConnectError where there is none: `unauthenticated` for a key that the user service refuses, else
   * `unavailable`. While the token is good, no call waits for the user service.
   */
  token(signal?: AbortSignal): Promise<string>;
  /** Exchanges no more. A token that is there stays good, so that what ends can still say so. */
  close(): void;
};

export type KeyCredentialOptions = {
  /** Asks the user service (`KeyService.ExchangeKey`) for a token. */
  exchange(signal: AbortSignal): Promise<{ accessToken: string }>;
  logger: Logger;
  /** Milliseconds since 1970. */
  now?: () => number;
  /** From 0 to 1. */
  random?: () => number;
};

type Token = { text: string; renewAt: number; endsAt: number };

const exchangeMs = 5_000;
/** A token that ends within this isn't shown any more: the call has a way to go. */
const marginMs = 5_000;
/** Waiting times after exchanges that failed: doubled from the first to the last. */
const firstPauseMs = 500;
const longestPauseMs = 5_000;

/**
 * Exchanges an API key when the first token is asked for, and again when half of a token's life is over at the latest: what is left is how long the user service may be away
 * before calls fail. One exchange at a time, for all who wait. The log hears of a token that can't be renewed, of its end, and when all is well again: a line each.
 */
export function createKeyCredential(options: KeyCredentialOptions): KeyCredential {
  const { exchange, logger, now = Date.now, random = Math.random } = options;
  const end = new AbortController();
  let current: Token | undefined;
  let exchanging: Promise<Token> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let failures = 0;
  let lastFault: ConnectError | undefined;
  let pauseUntil = 0;
  let told: "nothing" | "not renewed" | "none" = "nothing";

  /** Up to a quarter less: a fleet that started together, or lost the user service together, doesn't ask it all at once. */
  const spread = (ms: number) => ms * (1 - random() / 4);
  const isGood = (token: Token | undefined): token is Token => token !== undefined && now() < token.endsAt - marginMs;

  /** Looks again when a token is due, or when the pause after a failure is over; the process doesn't live for it. */
  function schedule(at: number): void {
    clearTimeout(timer);
    if (end.signal.aborted) return;
    timer = setTimeout(() => void renew().catch(() => {}), Math.max(0, at - now()));
    timer.unref();
  }

  function renew(): Promise<Token> {
    exchanging ??= attempt().finally(() => {
      exchanging = undefined;
    });
    return exchanging;
  }

  async function attempt(): Promise<Token> {
    try {
      const { accessToken } = await exchange(AbortSignal.any([end.signal, AbortSignal.timeout(exchangeMs)]));
      const token = readLife(accessToken, now(), spread);
      current = token;
      failures = 0;
      lastFault = undefined;
      if (told !== "nothing") logger.info({}, "the user service exchanges this process's API key again");
      told = "nothing";
      schedule(token.renewAt);
      return token;
    } catch (error) {
      if (end.signal.aborted) throw closed();
      lastFault = faultOf(ConnectError.from(error));
      const pauseMs = spread(Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(failures, 10)));
      failures += 1;
      pauseUntil = now() + pauseMs;
      tell(lastFault);
      // Where there was a token, calls will come: be ready for them. Before the first, those who ask try.
      if (current !== undefined) schedule(pauseUntil);
      throw lastFault;
    }
  }

  function tell({ rawMessage: reason }: ConnectError): void {
    if (isGood(current)) {
      if (told === "not renewed") return;
      told = "not renewed";
      const seconds = Math.round((current.endsAt - now()) / 1000);
      logger.warn({ reason }, `the access token couldn't be renewed; the one there is good for ${seconds} s more`);
    } else if (told !== "none") {
      told = "none";
      logger.error(
        { reason },
        "there is no access token for this process: its calls wait until its API key can be exchanged",
      );
    }
  }

  async function obtain(): Promise<Token> {
    if (end.signal.aborted) throw closed();
    if (exchanging !== undefined || lastFault === undefined || now() >= pauseUntil) return renew();
    tell(lastFault);
    throw lastFault;
  }

  return {
    async token(signal) {
      if (isGood(current)) {
        // A machine that slept through the time to renew does so now.
        if (now() >= current.renewAt && now() >= pauseUntil) renew().catch(() => {});
        return current.text;
      }
      const { text } = await (signal === undefined ? obtain() : untilAborted(obtain(), signal));
      return text;
    },
    close() {
      clearTimeout(timer);
      end.abort();
    },
  };
}

/** How long a token lives is taken from itself and counted from now: this machine's clock may be wrong, but it runs as fast as others. */
function readLife(text: string, now: number, spread: (ms: number) => number): Token {
  const { iat, exp } = JSON.parse(Buffer.from(text.split(".")[1] ?? "", "base64url").toString("utf8"));
  const lifeMs = (exp - iat) * 1000;
  if (!(lifeMs > 0)) throw new ConnectError("the user service gave a token without a life", Code.Internal);
  return { text, renewAt: now + spread(lifeMs / 2), endsAt: now + lifeMs };
}

function faultOf(fault: ConnectError): ConnectError {
  const refused = fault.code === Code.Unauthenticated || fault.code === Code.PermissionDenied;
  const message = refused
    ? `the user service refuses this process's API key (${fault.rawMessage})`
    : `the user service can't exchange this process's API key now (${fault.rawMessage})`;
  return new ConnectError(message, refused ? Code.Unauthenticated : Code.Unavailable, undefined, undefined, fault);
}

const closed = () => new ConnectError("this process ends", Code.Unavailable);
