import { DomainError } from "@kinora/rpc";
import type { Context } from "../context.ts";
import { leaseStanding } from "../domain/lease.ts";
import { streamPrefix } from "../domain/object-keys.ts";
import { uploadAddressSeconds } from "../encode/cleanup.ts";
import { contentTypeOf } from "../playback/playback-path.ts";
import { findEncode } from "../store/encode.store.ts";
import { findTask } from "../store/task.store.ts";
import { type Lease, leaseGone } from "./locked-task.ts";

/** The longest file of a stream: many times what a few seconds of the largest rendition need. */
const maxFileBytes = 256 * 1024 * 1024;

/** A file that a worker has made; without a length from workers of an earlier release. */
export type FileToWrite = { path: string; bytes?: number };

/** Addresses to write the files of a leased task to, and the type to write each with, in the order of `files`. */
export async function createUploads(
  context: Context,
  lease: Lease,
  files: readonly FileToWrite[],
): Promise<{ url: string; contentType: string }[]> {
  const task = await findTask(context.db, lease.taskId);
  const standing = leaseStanding(task, lease.attempt);
  if (standing !== "held") throw leaseGone(standing);
  const encode = task && (await findEncode(context.db, task.encodeId));
  if (encode === undefined) throw leaseGone("cancelled");
  if (task?.kind !== "encode") throw new DomainError("invalid", "Only encode tasks write files.");
  const prefix = streamPrefix(encode.videoId, encode.id, lease.attempt);
  return await Promise.all(
    files.map(async ({ path, bytes }) => {
      // A length binds the address to a type as well; without one, the worker doesn't know of types either.
      const bound = bytes === undefined ? { maxBytes: maxFileBytes } : { bytes, contentType: contentTypeOf(path) };
      const options = { method: "PUT", expiresInSeconds: uploadAddressSeconds, ...bound } as const;
      return { url: await context.storage.sign(prefix + path, options), contentType: contentTypeOf(path) };
    }),
  );
}
