import { addAbortSignal, Readable } from "node:stream";
import { checkKey, checkPrefix } from "../key.ts";
import type { ObjectBody, ObjectStat, ObjectStore, SignOptions } from "../object-store.ts";
import { bodyParts } from "./body-parts.ts";
import { connectS3 } from "./connect-s3.ts";
import { createMultipart, type Multipart, type Part } from "./multipart.ts";
import { isAbsent, s3Fault } from "./s3-fault.ts";
import type { S3Settings } from "./storage-url.ts";

/** A store whose objects are in a bucket of an S3 server. */
export type S3Store = ObjectStore & {
  /** Objects written in parts; `key` is one of the store's. */
  readonly multipart: Multipart;
  /** The key that an object has in the bucket. */
  bucketKey(key: string): string;
  close(): void;
};

/** Longer bodies are written in parts of this length, in bytes. */
const partBytes = 8 * 1024 * 1024;
/** S3 signs for a week at most. */
const longestSeconds = 7 * 24 * 3600;
const octets = "application/octet-stream";

/** Opens a store in a bucket, and asks the server for it once: what is set up wrong is a StorageUnavailableError that says what. */
export async function openS3Store(settings: S3Settings, signal?: AbortSignal): Promise<S3Store> {
  const connection = await connectS3(settings);
  const { sdk, client, outside, getSignedUrl } = connection;
  const { bucket: Bucket } = settings;
  const root = settings.prefix === "" ? "" : `${settings.prefix}/`;
  const multipart = createMultipart(connection, Bucket);
  const bucketKey = (key: string) => root + checkKey(key);
  const options = (abort: AbortSignal | undefined) => (abort ? { abortSignal: abort } : {});

  async function stat(key: string, abort?: AbortSignal): Promise<ObjectStat | undefined> {
    const Key = bucketKey(key);
    try {
      return statOf(await client.send(new sdk.HeadObjectCommand({ Bucket, Key }), options(abort)));
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw s3Fault(error, abort);
    }
  }

  async function putWhole(Key: string, Body: Uint8Array, ContentType: string, abort?: AbortSignal) {
    const command = new sdk.PutObjectCommand({ Bucket, Key, Body, ContentLength: Body.length, ContentType });
    try {
      const { ETag = "" } = await client.send(command, options(abort));
      return { bytes: Body.length, etag: ETag };
    } catch (error) {
      throw s3Fault(error, abort);
    }
  }

  async function putParts(Key: string, pieces: AsyncIterable<Uint8Array>, type: string, abort?: AbortSignal) {
    const uploadId = await multipart.begin(Key, type, abort);
    try {
      const parts: Part[] = [];
      for await (const piece of pieces) {
        parts.push(await multipart.put(Key, uploadId, parts.length + 1, piece, abort));
      }
      const etag = await multipart.complete(Key, uploadId, parts, abort);
      return { bytes: parts.reduce((sum, part) => sum + part.bytes, 0), etag };
    } catch (error) {
      await multipart.abort(Key, uploadId).catch(() => {}); // what is left of it is removed with the object's prefix
      throw s3Fault(error, abort);
    }
  }

  async function* list(prefix: string, abort?: AbortSignal) {
    const Prefix = root + checkPrefix(prefix);
    for (let token: string | undefined; ; ) {
      const command = new sdk.ListObjectsV2Command({ Bucket, Prefix, ContinuationToken: token });
      const page = await client.send(command, options(abort)).catch((error: unknown) => {
        throw s3Fault(error, abort);
      });
      for (const { Key = "", Size = 0 } of page.Contents ?? []) yield { key: Key.slice(root.length), bytes: Size };
      token = page.NextContinuationToken;
      if (!page.IsTruncated || token === undefined) return;
    }
  }

  async function deleteKeys(keys: readonly string[], abort: AbortSignal | undefined): Promise<void> {
    if (keys.length === 0) return;
    const Objects = keys.map((key) => ({ Key: root + key }));
    const command = new sdk.DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } });
    const { Errors: [error] = [] } = await client.send(command, options(abort)).catch((fault: unknown) => {
      throw s3Fault(fault, abort);
    });
    if (error !== undefined) throw s3Fault(Object.assign(new Error("refused"), { name: error.Code, $metadata: {} }));
  }

  const store: S3Store = {
    multipart,
    bucketKey,
    signedSeconds: longestSeconds,
    stat,
    list,

    async put(key: string, body: ObjectBody, { bytes, contentType = octets, signal: abort } = {}) {
      const Key = bucketKey(key);
      abort?.throwIfAborted();
      const pieces = bodyParts(body, partBytes, bytes);
      try {
        const { value: first = new Uint8Array() } = await pieces.next();
        abort?.throwIfAborted();
        const second = first.length < partBytes ? undefined : await pieces.next();
        return second === undefined || second.done
          ? await putWhole(Key, first, contentType, abort)
          : await putParts(Key, joined([first, second.value], pieces), contentType, abort);
      } finally {
        await pieces.return(undefined);
      }
    },

    async get(key, { range, signal: abort } = {}) {
      const Key = bucketKey(key);
      const Range = range && `bytes=${range.start}-${range.end}`;
      try {
        const answer = await client.send(new sdk.GetObjectCommand({ Bucket, Key, Range }), options(abort));
        if (!(answer.Body instanceof Readable)) throw new Error("The storage server's answer has no body.");
        const whole = /\/(\d+)$/.exec(answer.ContentRange ?? "")?.[1];
        const body = abort ? addAbortSignal(abort, answer.Body) : answer.Body;
        return { stat: statOf({ ...answer, ...(whole && { ContentLength: Number(whole) }) }), body };
      } catch (error) {
        if (isAbsent(error)) return undefined;
        throw s3Fault(error, abort);
      }
    },

    async deletePrefix(prefix, abort) {
      let batch: string[] = [];
      for await (const { key } of list(prefix, abort)) {
        batch.push(key);
        if (batch.length < 1000) continue;
        await deleteKeys(batch, abort);
        batch = [];
      }
      await deleteKeys(batch, abort);
      await multipart.abortAll(root + checkPrefix(prefix), abort);
    },

    async sign(key, { method, expiresInSeconds, bytes, contentType }: SignOptions) {
      const Key = bucketKey(key);
      const expiresIn = Math.min(Math.ceil(expiresInSeconds), longestSeconds);
      if (method === "GET") {
        const command = new sdk.GetObjectCommand({ Bucket, Key, ResponseContentType: contentType });
        return await getSignedUrl(outside, command, { expiresIn });
      }
      const signed = [
        "host",
        ...(bytes === undefined ? [] : ["content-length"]),
        ...(contentType ? ["content-type"] : []),
      ];
      const command = new sdk.PutObjectCommand({ Bucket, Key, ContentLength: bytes, ContentType: contentType });
      return await getSignedUrl(outside, command, { expiresIn, signableHeaders: new Set(signed) });
    },

    close: connection.close,
  };
  try {
    await client.send(new sdk.ListObjectsV2Command({ Bucket, Prefix: root, MaxKeys: 1 }), options(signal));
    return store;
  } catch (error) {
    store.close();
    throw s3Fault(error, signal);
  }
}

type Answer = { ContentLength?: number | undefined; ETag?: string | undefined; LastModified?: Date | undefined };

function statOf(answer: Answer): ObjectStat {
  return {
    bytes: answer.ContentLength ?? 0,
    etag: answer.ETag ?? '""',
    modified: answer.LastModified ?? new Date(0),
  };
}

async function* joined<T>(first: readonly T[], rest: AsyncIterable<T>): AsyncGenerator<T> {
  yield* first;
  yield* rest;
}
