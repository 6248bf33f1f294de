/** The HTTP response to a unary call, whatever version carries it. */
export type Reply = {
  status: number;
  /** Names (lower case) and values in turn. Not to be changed: many replies share it. */
  headers: readonly string[];
  body: Uint8Array | string | undefined;
  /** What goes in front of the body, apart from it so that a large one needs no copy. */
  prefix?: Uint8Array;
  /** Sent after the body; without a body the headers have all there is to say. */
  trailers: Readonly<Record<string, string>> | undefined;
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
