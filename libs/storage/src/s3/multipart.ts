import type { S3Connection } from "./connect-s3.ts";
import { isUploadGone, s3Fault } from "./s3-fault.ts";

/** A part that the server has. */
export type Part = { number: number; bytes: number; etag: string };

/**
 * Objects that are written in parts, numbered from 1: nobody sees the object before `complete`. Each part but the last has at least 5 MiB, and there are at
 * most 10,000. Keys are the server's own, prefix included.
 */
export type Multipart = {
  begin(key: string, contentType: string, signal?: AbortSignal): Promise<string>;
  /** Writes a part, or writes it again. */
  put(key: string, uploadId: string, number: number, bytes: Uint8Array, signal?: AbortSignal): Promise<Part>;
  /** An address to PUT a part of just this length to. */
  sign(key: string, uploadId: string, part: { number: number; bytes: number }, seconds: number): Promise<string>;
  /** The parts that are there, by number; undefined if there is no such upload (any more). */
  list(key: string, uploadId: string, signal?: AbortSignal): Promise<Part[] | undefined>;
  /** Makes the object of these parts. Throws the SDK's own errors: see `isUploadGone` and `isPartWrong`. */
  complete(key: string, uploadId: string, parts: readonly Part[], signal?: AbortSignal): Promise<string>;
  /** Ends an upload and removes its parts. No error if there is none. */
  abort(key: string, uploadId: string, signal?: AbortSignal): Promise<void>;
  /** Ends all uploads whose keys begin with `prefix`. */
  abortAll(prefix: string, signal?: AbortSignal): Promise<void>;
};

/** Multipart uploads into a bucket. */
export function createMultipart({ sdk, client, outside, getSignedUrl }: S3Connection, bucket: string): Multipart {
  const options = (signal: AbortSignal | undefined) => (signal ? { abortSignal: signal } : {});
  const multipart: Multipart = {
    async begin(key, contentType, signal) {
      try {
        const command = new sdk.CreateMultipartUploadCommand({ Bucket: bucket, Key: key, ContentType: contentType });
        return given((await client.send(command, options(signal))).UploadId);
      } catch (error) {
        throw s3Fault(error, signal);
      }
    },

    async put(key, uploadId, number, bytes, signal) {
      try {
        const command = new sdk.UploadPartCommand({
          Bucket: bucket,
          Key: key,
          UploadId: uploadId,
          PartNumber: number,
          Body: bytes,
          ContentLength: bytes.length,
        });
        const { ETag } = await client.send(command, options(signal));
        return { number, bytes: bytes.length, etag: given(ETag) };
      } catch (error) {
        throw s3Fault(error, signal);
      }
    },

    async sign(key, uploadId, { number, bytes }, seconds) {
      const command = new sdk.UploadPartCommand({
        Bucket: bucket,
        Key: key,
        UploadId: uploadId,
        PartNumber: number,
        ContentLength: bytes,
      });
      const signableHeaders = new Set(["host", "content-length"]);
      return await getSignedUrl(outside, command, { expiresIn: seconds, signableHeaders });
    },

    async list(key, uploadId, signal) {
      const parts: Part[] = [];
      try {
        for (let marker: string | undefined; ; ) {
          const page = await client.send(
            new sdk.ListPartsCommand({ Bucket: bucket, Key: key, UploadId: uploadId, PartNumberMarker: marker }),
            options(signal),
          );
          for (const { PartNumber, Size, ETag } of page.Parts ?? []) {
            parts.push({ number: given(PartNumber), bytes: given(Size), etag: given(ETag) });
          }
          if (!page.IsTruncated || page.NextPartNumberMarker === marker) return parts;
          marker = page.NextPartNumberMarker;
        }
      } catch (error) {
        if (isUploadGone(error)) return undefined;
        throw s3Fault(error, signal);
      }
    },

    async complete(key, uploadId, parts, signal) {
      const command = new sdk.CompleteMultipartUploadCommand({
        Bucket: bucket,
        Key: key,
        UploadId: uploadId,
        MultipartUpload: { Parts: parts.map(({ number, etag }) => ({ PartNumber: number, ETag: etag })) },
      });
      return given((await client.send(command, options(signal))).ETag);
    },

    async abort(key, uploadId, signal) {
      try {
        const command = new sdk.AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId: uploadId });
        await client.send(command, options(signal));
      } catch (error) {
        if (!isUploadGone(error)) throw s3Fault(error, signal);
      }
    },

    async abortAll(prefix, signal) {
      try {
        for (let markers: { KeyMarker?: string; UploadIdMarker?: string } = {}; ; ) {
          const page = await client.send(
            new sdk.ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix, ...markers }),
            options(signal),
          );
          for (const { Key, UploadId } of page.Uploads ?? []) {
            if (Key?.startsWith(prefix) && UploadId) await multipart.abort(Key, UploadId, signal);
          }
          if (!page.IsTruncated || !page.NextKeyMarker) return;
          markers = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker ?? "" };
        }
      } catch (error) {
        // Some servers can't list them: then only those end that we know of.
        if (!(error instanceof Error) || error.name !== "NotImplemented") throw s3Fault(error, signal);
      }
    },
  };
  return multipart;
}

function given<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("The storage server's answer lacks what S3 promises.");
  return value;
}
