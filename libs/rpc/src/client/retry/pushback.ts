/** What a server says about trying again. */
export type Pushback = {
  waitMs: number;
  /** It asks for the call, so it hasn't run it. */
  asked: boolean;
};

/**
 * Reads a server's pushback from the metadata of an error: `false` for don't, undefined for nothing. `grpc-retry-pushback-ms` is that of gRFC A6: negative or unreadable means don't.
 * `retry-after` is that of HTTP (RFC 9110, 10.2.3): seconds or a date; unreadable means nothing. `now` in milliseconds since 1970.
 */
export function readPushback(metadata: Pick<Headers, "get">, now: number): Pushback | false | undefined {
  const pushback = metadata.get("grpc-retry-pushback-ms");
  if (pushback !== null) {
    return /^\d{1,10}$/.test(pushback) ? { waitMs: Number(pushback), asked: true } : false;
  }
  const after = metadata.get("retry-after");
  if (after === null) {
    return undefined;
  }
  if (/^\d{1,10}$/.test(after)) {
    return { waitMs: Number(after) * 1000, asked: false };
  }
  const date = Date.parse(after);
  return Number.isNaN(date) ? undefined : { waitMs: Math.max(0, date - now), asked: false };
}
