import { type ChunkResult, ChunkResultSchema, EncodeChunkTaskSchema } from "@kinora/proto-encoder";
import type { Context } from "../context.ts";
import { chunkFault } from "../domain/chunk-check.ts";
import { electInits, type Inits, joinInits } from "../domain/init-election.ts";
import { leaseStanding } from "../domain/lease.ts";
import { attemptPrefix } from "../domain/object-keys.ts";
import { advanceEncode } from "../encode/advance-encode.ts";
import { makeAllChunksAgain } from "../encode/make-again.ts";
import { fromStored, toStored } from "../messages/stored-json.ts";
import type { Db } from "../store/db.ts";
import { findInitStanding, type LockedEncode, setElection, setInits } from "../store/locked-encode.store.ts";
import { findTaskAndWork } from "../store/task.store.ts";
import { finishTask } from "../store/task-state.store.ts";
import { filesPresent, missingFile } from "./files-present.ts";
import { type Lease, leaseGone, lockLease } from "./locked-task.ts";
import { refuseResult } from "./refuse-result.ts";
import { settleTask } from "./settle-task.ts";

/** Thrown in the transaction, which it undoes. */
class InitRefused extends Error {}

/**
 * Takes a chunk: checks it against its task, its files and the other chunks' codec configuration. Whatever isn't as it must be counts as the machine's fault; where most workers agree on another
 * configuration than the first chunks have, those are made again.
 */
export async function completeChunk(
  context: Context,
  lease: Lease,
  result: ChunkResult,
  signal: AbortSignal,
): Promise<void> {
  const found = await findTaskAndWork(context.db, lease.taskId);
  if (found === undefined) throw leaseGone("cancelled");
  const { task, encode } = found;
  if (task.kind === "encode_chunk" && leaseStanding(task, lease.attempt) === "held") {
    const work = fromStored(EncodeChunkTaskSchema, found.work);
    const present = await filesPresent(context.storage, attemptPrefix(encode, task), signal);
    const fault =
      work === undefined
        ? "the task has no work."
        : (chunkFault(work, result) ??
          result.renditions.map((track) => missingFile(track, present, task.firstSegment)).find((one) => one));
    if (fault !== undefined) return await refuseResult(context, lease, fault, signal);
  }
  const hashes = Object.fromEntries(
    result.renditions.map((track) => [track.name, Buffer.from(track.initSha256).toString("hex")]),
  );
  const known = { ...lease, encodeId: encode.id };
  try {
    await settleTask(context, known, "encode_chunk", signal, async (db, { encode: locked, task: own }) => {
      const again = await takeInits(context, db, locked, own.workerId, hashes);
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
      const advanced = await advanceEncode(context, db, locked);
      return { ...advanced, queues: [...advanced.queues, ...again] };
    });
  } catch (error) {
    if (!(error instanceof InitRefused)) throw error;
    await noteDissent(context, lease, hashes, signal);
    const fault = `the codec configuration of ${error.message} isn't that of the other chunks: a player would need another decoder. Do all workers run the same release?`;
    await refuseResult(context, lease, fault, signal);
  }
}

/** Makes a chunk's codec configuration the encode's, in whose transaction this is. The answer has the queues of chunks that are made again because they have another. */
async function takeInits(
  context: Context,
  db: Db,
  encode: LockedEncode,
  workerId: string,
  brought: Inits,
): Promise<string[]> {
  const joined = joinInits(encode.inits, brought);
  if (joined !== undefined) {
    if (joined !== encode.inits) await setInits(db, encode.id, joined);
    return [];
  }
  const verdict = electInits(await findInitStanding(db, encode), workerId, brought);
  if (verdict.outcome === "refused") throw new InitRefused(verdict.track);
  await setElection(db, encode.id, verdict);
  return await makeAllChunksAgain(context, db, encode);
}

/** Remembers who came with a configuration that was refused, in case that others come with the same. */
async function noteDissent(context: Context, lease: Lease, hashes: Inits, signal: AbortSignal): Promise<void> {
  await context.db.transact(signal, async (db) => {
    const locked = await lockLease(db, lease);
    if (locked?.standing !== "held") return;
    if (joinInits(locked.encode.inits, hashes) !== undefined) return;
    const verdict = electInits(await findInitStanding(db, locked.encode), locked.task.workerId, hashes);
    if (verdict.outcome === "refused") await setElection(db, locked.encode.id, verdict);
  });
}
