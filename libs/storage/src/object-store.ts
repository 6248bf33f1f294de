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
  expiresInSeconds: number /** Of a PUT: the most bytes it may bring. */;
  maxBytes?: number;
};

/**
 * Objects under keys such as `videos/1b4e…/source`. Writing is atomic: an object is there as a whole or not at all. The folder store implements it;
 * every method is one that S3 has an answer to as well.
 *
 * A key or prefix that isn't well formed throws `InvalidKeyError`; no room left is a `StorageFullError`.
 */
export type ObjectStore = {
  /** Writes an object, replacing one of the same key. Rejects, and leaves nothing, if the body ends before or after `bytes`. */
  put(key: string, body: ObjectBody, options?: { bytes?: number; signal?: AbortSignal }): Promise<ObjectStat>;
  /** Opens an object for reading; undefined if there is none. The body must be consumed or destroyed. */
  get(
    key: string,
    options?: { range?: ByteRange; signal?: AbortSignal },
  ): Promise<{ stat: ObjectStat; body: Readable } | undefined>;
  /** What is known of an object; undefined if there is none. */
  stat(key: string, signal?: AbortSignal): Promise<ObjectStat | undefined>;
  /** The objects whose keys begin with `prefix`, which ends with `/`; in no order. */
  list(prefix: string, signal?: AbortSignal): AsyncIterable<{ key: string; bytes: number }>;
  /** Removes every object whose key begins with `prefix`, which ends with `/`. No error if there is none. */
  deletePrefix(prefix: string, signal?: AbortSignal): Promise<void>;
  /** Takes a local file over as an object; the file is gone afterwards. Survives a crash at any moment: either the file or the object is there. */
  adopt(key: string, file: string, signal?: AbortSignal): Promise<ObjectStat>;
  /** An address for one use of one key, for whoever has it, until it expires. */
  sign(key: string, options: SignOptions): Promise<string>;
};

/** The key would be ambiguous or lie outside the store. */
export class InvalidKeyError extends Error {
  override readonly name = "InvalidKeyError";
}

/** There is no room for the object. The message says what to do. */
export class StorageFullError extends Error {
  override readonly name = "StorageFullError";
}

/** The body was shorter or longer than announced. */
export class LengthMismatchError extends Error {
  override readonly name = "LengthMismatchError";
}
