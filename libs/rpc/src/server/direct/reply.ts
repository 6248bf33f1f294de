/** The HTTP response to a unary call, whatever version carries it. */
export type Reply = {
  status: number;
  /** Names (lower case) and values in turn. Not to be changed: many replies share it. Frozen where it is always the same. */
  headers: readonly string[];
  body: Uint8Array | string | undefined;
  /** Whether the body goes out in an envelope of gRPC, which it doesn't have yet. */
  enveloped?: boolean;
  /** Sent after the body, in the same form as the headers; without a body the headers have all there is to say. */
  trailers: readonly string[] | undefined;
};

/** The protocol's own headers, then what the handler has written, as names and values in turn. */
export function ownHeaders(own: readonly string[], written: Headers | undefined): readonly string[] {
  if (written === undefined) {
    return own;
  }
  const all = [...own];
  written.forEach((value, name) => {
    // The protocol says what the body is, and Node how long.
    if (name !== "content-type" && name !== "content-length") {
      all.push(name, value);
    }
  });
  return all;
}
