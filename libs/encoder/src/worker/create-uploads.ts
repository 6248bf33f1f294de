import { DomainError } from "@kinora/rpc";
import type { Context } from "../context.ts";
import { leaseStanding } from "../domain/lease.ts";
import { attemptPrefix } from "../domain/object-keys.ts";
import type { TaskKind } from "../domain/task-kind.ts";
import { uploadAddressSeconds } from "../encode/cleanup.ts";
import { contentTypeOf } from "../playback/playback-path.ts";
import { findTaskAndEncode } from "../store/task.store.ts";
import { type Lease, leaseGone } from "./locked-task.ts";

/** The longest file of a stream: many times what a few seconds of the largest rendition need. */
const maxFileBytes = 256 * 1024 * 1024;

/** A file that a worker has made; without a length from workers of an earlier release. */
export type FileToWrite = { path: string; bytes?: number };

/** Tasks that make files. */
const writers: readonly TaskKind[] = ["encode", "encode_chunk", "audio", "images"];

/** Addresses to write the files of a leased task to, and the type to write each with, in the order of `files`. */
export async function createUploads(
  context: Context,
  lease: Lease,
  files: readonly FileToWrite[],
): Promise<{ url: string; contentType: string }[]> {
  const found = await findTaskAndEncode(context.db, lease.taskId);
  if (found === undefined) throw leaseGone("cancelled");
  const { task, encode } = found;
  const standing = leaseStanding(task, lease.attempt);
  if (standing !== "held") throw leaseGone(standing);
  if (!writers.includes(task.kind)) throw new DomainError("invalid", `Tasks of kind ${task.kind} write no files.`);
  const prefix = attemptPrefix(encode, task);
  return await Promise.all(
    files.map(async ({ path, bytes }) => {
      // A length binds the address to a type as well; without one, the worker doesn't know of types either.
      const bound = bytes === undefined ? { maxBytes: maxFileBytes } : { bytes, contentType: contentTypeOf(path) };
      const options = { method: "PUT", expiresInSeconds: uploadAddressSeconds, ...bound } as const;
      return { url: await context.storage.sign(prefix + path, options), contentType: contentTypeOf(path) };
    }),
  );
}
