import type { Readable } from "node:stream";

/** What is known of an object without reading it. */
export type ObjectStat = {
  /** Length in bytes. */
  bytes: number;
  /** Strong entity tag with its quotes: differs whenever the content does. */
  etag: string;
  modified: Date;
};

/** Bytes `start` to `end`, both included, counted from 0. */
export type ByteRange = { start: number; end: number };

/** What an object is made of. */
export type ObjectBody = string | Uint8Array | AsyncIterable<Uint8Array>;

/** How a signed address may be used. */
export type SignOptions = {
  method: "GET" | "PUT";
  /** At most the store's `signedSeconds`. */
  expiresInSeconds: number;
  /** Of a PUT: just how many bytes it must bring, said by its Content-Length. A folder takes fewer as well. */
  bytes?: number;
  /** Of a PUT to a folder without `bytes`: the most bytes it may bring. */
  maxBytes?: number;
  /** Of a PUT: the Content-Type that it must have. Of a GET: the one that the answer has. A folder keeps no types and takes any. */
  contentType?: string;
};

/**
 * Objects under keys such as `videos/1b4e…/source`. Writing is atomic: an object is there as a whole or not at all. A folder of the local
 * file system and a bucket of an S3 server implement it.
 *
 * A key or prefix that isn't well formed throws `InvalidKeyError`; no room left is a `StorageFullError`; a server that can't be reached or refuses us is a
 * `StorageUnavailableError`.
 */
export type ObjectStore = {
  /**
   * Writes an object, replacing one of the same key. Rejects, and leaves nothing, if the body ends before or after `bytes`. The content type is for those
   * who read the object from an S3 server themselves; a folder keeps none.
   */
  put(
    key: string,
    body: ObjectBody,
    options?: { bytes?: number; contentType?: string; signal?: AbortSignal },
  ): Promise<Pick<ObjectStat, "bytes" | "etag">>;
  /** Opens an object for reading; undefined if there is none. The body must be consumed or destroyed. */
  get(
    key: string,
    options?: { range?: ByteRange; signal?: AbortSignal },
  ): Promise<{ stat: ObjectStat; body: Readable } | undefined>;
  /** What is known of an object; undefined if there is none. */
  stat(key: string, signal?: AbortSignal): Promise<ObjectStat | undefined>;
  /** The objects whose keys begin with `prefix`, which ends with `/`; in no order. */
  list(prefix: string, signal?: AbortSignal): AsyncIterable<{ key: string; bytes: number }>;
  /** Removes every object whose key begins with `prefix`, which ends with `/`, and what is half written of others. No error if there is none. */
  deletePrefix(prefix: string, signal?: AbortSignal): Promise<void>;
  /** An address for one use of one key, for whoever has it, until it expires. */
  sign(key: string, options: SignOptions): Promise<string>;
  /** The longest time that a signed address can be good for. */
  readonly signedSeconds: number;
};

/** The key would be ambiguous or lie outside the store. */
export class InvalidKeyError extends Error {
  override readonly name = "InvalidKeyError";
}

/** There is no room for the object. The message says what to do. */
export class StorageFullError extends Error {
  override readonly name = "StorageFullError";
}

/** The storage server can't be reached, or refuses us. The message is for the operator, and has no secret in it. */
export class StorageUnavailableError extends Error {
  override readonly name = "StorageUnavailableError";
}

/** The body was shorter or longer than announced. */
export class LengthMismatchError extends Error {
  override readonly name = "LengthMismatchError";
}
