import { type ChunkResult, ChunkResultSchema, EncodeChunkTaskSchema } from "@kinora/proto-encoder";
import type { Context } from "../context.ts";
import { chunkFault } from "../domain/chunk-check.ts";
import { leaseStanding } from "../domain/lease.ts";
import { attemptPrefix } from "../domain/object-keys.ts";
import { advanceEncode } from "../encode/advance-encode.ts";
import { fromStored, toStored } from "../messages/stored-json.ts";
import { agreeOnInits } from "../store/locked-encode.store.ts";
import { findTaskAndEncode } from "../store/task.store.ts";
import { findWork } from "../store/task-result.store.ts";
import { finishTask } from "../store/task-state.store.ts";
import { filesPresent, missingFile } from "./files-present.ts";
import { type Lease, leaseGone } from "./locked-task.ts";
import { refuseResult } from "./refuse-result.ts";
import { settleTask } from "./settle-task.ts";

/** Thrown in the transaction, which it undoes. */
class InitDiffers extends Error {}

/** Takes a chunk: checks it against its task, its files and the other chunks' codec configuration. Whatever isn't as it must be counts as the machine's fault. */
export async function completeChunk(
  context: Context,
  lease: Lease,
  result: ChunkResult,
  signal: AbortSignal,
): Promise<void> {
  const found = await findTaskAndEncode(context.db, lease.taskId);
  if (found === undefined) throw leaseGone("cancelled");
  const { task, encode } = found;
  if (task.kind === "encode_chunk" && leaseStanding(task, lease.attempt) === "held") {
    const work = fromStored(EncodeChunkTaskSchema, await findWork(context.db, task.id));
    const present = await filesPresent(context.storage, attemptPrefix(encode, task), signal);
    const fault =
      work === undefined
        ? "the task has no work."
        : (chunkFault(work, result) ??
          result.renditions.map((track) => missingFile(track, present, task.firstSegment)).find((one) => one));
    if (fault !== undefined) return await refuseResult(context, lease, fault, signal);
  }
  try {
    await settleTask(context, lease, "encode_chunk", signal, async (db, { encode: locked, task: own }) => {
      const hashes = Object.fromEntries(
        result.renditions.map((track) => [track.name, Buffer.from(track.initSha256).toString("hex")]),
      );
      const differing = await agreeOnInits(db, locked, hashes);
      if (differing !== undefined) throw new InitDiffers(differing);
      await finishTask(db, own.id, {
        frames: result.frames,
        result: toStored(ChunkResultSchema, result),
        seconds: result.seconds,
        segments: result.renditions[0]?.segments.length ?? 0,
        tracks: result.renditions.map((track) => ({
          bytes: track.segments.reduce((sum, segment) => sum + segment.bytes, 0),
          measured: track.quality?.frames ?? 0,
          xpsnr: track.quality?.xpsnrSum ?? 0,
        })),
      });
      return await advanceEncode(context, db, locked);
    });
  } catch (error) {
    if (!(error instanceof InitDiffers)) throw error;
    const fault = `the codec configuration of ${error.message} isn't that of the other chunks: a player would need another decoder. Do all workers run the same release?`;
    await refuseResult(context, lease, fault, signal);
  }
}
