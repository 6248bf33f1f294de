import { DomainError } from "@kinora/rpc";
import type { Context } from "../context.ts";
import { leaseStanding } from "../domain/lease.ts";
import { streamPrefix } from "../domain/object-keys.ts";
import { uploadAddressSeconds } from "../encode/cleanup.ts";
import { findEncode } from "../store/encode.store.ts";
import { findTask } from "../store/task.store.ts";
import { type Lease, leaseGone } from "./locked-task.ts";

/** The longest file of a stream: many times what a few seconds of the largest rendition need. */
const maxFileBytes = 256 * 1024 * 1024;

/** Addresses to write the files of a leased encode task to, in the order of `paths`. */
export async function createUploads(context: Context, lease: Lease, paths: readonly string[]): Promise<string[]> {
  const task = await findTask(context.db, lease.taskId);
  const standing = leaseStanding(task, lease.attempt);
  if (standing !== "held") throw leaseGone(standing);
  const encode = task && (await findEncode(context.db, task.encodeId));
  if (encode === undefined) throw leaseGone("cancelled");
  if (task?.kind !== "encode") throw new DomainError("invalid", "Only encode tasks write files.");
  const prefix = streamPrefix(encode.videoId, encode.id, lease.attempt);
  return await Promise.all(
    paths.map((path) =>
      context.storage.sign(prefix + path, {
        method: "PUT",
        expiresInSeconds: uploadAddressSeconds,
        maxBytes: maxFileBytes,
      }),
    ),
  );
}
