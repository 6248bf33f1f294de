import type { Http2Session, Http2Stream } from "node:http2";

// Each entry holds a native session until its stream has been collected.
const holds = new FinalizationRegistry<object>(() => {});

/**
 * What Node holds of a session natively, which has to be asked for while the session lives; undefined where this Node keeps it elsewhere. See `outliveStream`.
 */
export function nativeSession(session: Http2Session): object | undefined {
  const held: unknown[] = Object.getOwnPropertySymbols(session).map((key) => Reflect.get(session, key));
  return held.find(
    (value): value is object =>
      typeof value === "object" && value !== null && value !== session && value.constructor.name === "Http2Session",
  );
}

/**
 * Keeps a native session until a stream of it that has closed is collected, unless the stream has ended as it should. If the garbage collector takes both at once, and the stream still had
 * writes under way and a header block that had not ended (trailers without END_HEADERS and a broken connection do that), Node 26.10 ends the process: "Assertion failed:
 * (current_nghttp2_memory_) == (0)". So any peer could end ours. http2-lifetime.test.ts
 */
export function outliveStream(stream: Http2Stream, native: object | undefined): void {
  if (native !== undefined && (stream.rstCode !== 0 || !stream.readableEnded)) {
    holds.register(stream, native);
  }
}
