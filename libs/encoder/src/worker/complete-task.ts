import {
  EncodePlanSchema,
  type MediaInfo,
  MediaInfoSchema,
  type StreamResult,
  StreamResultSchema,
} from "@kinora/proto-encoder";
import { DomainError } from "@kinora/rpc";
import type { Context } from "../context.ts";
import { transition } from "../domain/encode-state.ts";
import { leaseStanding } from "../domain/lease.ts";
import { streamPrefix } from "../domain/object-keys.ts";
import { filesFault, streamFault } from "../domain/stream-check.ts";
import { followUp } from "../encode/end-encode.ts";
import { fromStored, toStored } from "../messages/stored-json.ts";
import type { Db } from "../store/db.ts";
import { findEncode, findEncodeDetails, updateEncode } from "../store/encode.store.ts";
import { endTask, findTask } from "../store/task.store.ts";
import { publishEncode } from "../store/video.store.ts";
import { recordEvent } from "../webhook/record-event.ts";
import { reportFailure } from "./fail-task.ts";
import { type Lease, type LockedTask, leaseGone, lockLease } from "./locked-task.ts";
import { writePlaylists } from "./publish-stream.ts";

/** Takes what a probe has found; the plan follows in the background. */
export async function completeProbe(
  context: Context,
  lease: Lease,
  media: MediaInfo,
  signal: AbortSignal,
): Promise<void> {
  await settle(context, lease, "probe", 0, signal, async (db, { encode }) => {
    const state = transition(encode.state, "probed");
    if (state === undefined) throw leaseGone("cancelled");
    const durationSeconds = Number.isFinite(media.durationSeconds) ? Math.max(0, media.durationSeconds) : 0;
    await updateEncode(db, encode.id, state, { media: toStored(MediaInfoSchema, media), durationSeconds });
    await context.queue.send(db, "plan", { encodeId: encode.id });
  });
}

/** How long it may take to check and publish a stream, in milliseconds. */
const publishMs = 120_000;

/**
 * Takes a finished stream: checks it against the plan and its files, writes the playlists, and publishes it in one transaction. A result that isn't
 * what was planned counts as the machine's fault.
 */
export async function completeEncode(context: Context, lease: Lease, result: StreamResult): Promise<void> {
  const { publications, stopping } = context;
  const key = `${lease.taskId} ${lease.attempt}`;
  const underWay = publications.get(key);
  if (underWay !== undefined) return await underWay; // its first call ran out of time
  const signal = AbortSignal.any([stopping, AbortSignal.timeout(publishMs)]);
  const publication = publish(context, lease, result, signal).finally(() => publications.delete(key));
  publications.set(key, publication);
  await publication;
}

async function publish(context: Context, lease: Lease, result: StreamResult, signal: AbortSignal): Promise<void> {
  const task = await findTask(context.db, lease.taskId);
  const encode = task && (await findEncode(context.db, task.encodeId));
  if (task === undefined || encode === undefined) throw leaseGone("cancelled");
  const prefix = streamPrefix(encode.videoId, encode.id, lease.attempt);
  if (task.kind === "encode" && leaseStanding(task, lease.attempt) === "held") {
    const fault = await findFault(context, encode.id, prefix, result, signal);
    if (fault !== undefined) {
      const message = `The result isn't what was planned: ${fault}`;
      await reportFailure(context, lease, { kind: "machine", message }, signal);
      throw new DomainError("failed_precondition", message);
    }
    await writePlaylists(context.storage, prefix, encode.id, result, signal);
  }
  const frames = result.video[0]?.frames ?? 0;
  await settle(context, lease, "encode", frames, signal, async (db, { encode: locked }) => {
    const state = transition(locked.state, "published");
    if (state === undefined) throw leaseGone("cancelled");
    await updateEncode(db, locked.id, state, {
      result: toStored(StreamResultSchema, result),
      streamPrefix: prefix,
      hasPoster: result.poster !== "",
    });
    await publishEncode(db, locked.videoId, locked.id);
    await recordEvent(context, db, {
      type: "encode.succeeded",
      ownerId: locked.ownerId,
      videoId: locked.videoId,
      encodeId: locked.id,
    });
    await context.queue.send(db, "settle", { encodeId: locked.id, seconds: locked.durationSeconds });
  });
}

async function findFault(
  context: Context,
  encodeId: string,
  prefix: string,
  result: StreamResult,
  signal: AbortSignal,
): Promise<string | undefined> {
  const plan = fromStored(EncodePlanSchema, (await findEncodeDetails(context.db, encodeId))?.plan);
  if (plan === undefined) return "there is no plan.";
  const fault = streamFault(plan, result);
  if (fault !== undefined) return fault;
  const present = new Map<string, number>();
  for await (const { key, bytes } of context.storage.list(prefix, signal)) present.set(key.slice(prefix.length), bytes);
  return filesFault(result, present);
}

/** Ends a task with its result, unless that has happened under the same lease before. */
async function settle(
  context: Context,
  lease: Lease,
  kind: "probe" | "encode",
  frames: number,
  signal: AbortSignal,
  apply: (db: Db, locked: LockedTask) => Promise<void>,
): Promise<void> {
  const done = await context.db.transact(signal, async (db) => {
    const locked = await lockLease(db, lease);
    if (locked === undefined) throw leaseGone("cancelled");
    const { standing, task } = locked;
    if (task.kind !== kind) {
      throw new DomainError("invalid", `This is the result of a task to ${kind}, but the task is to ${task.kind}.`);
    }
    if (standing === "completed") return undefined;
    if (standing !== "held") throw leaseGone(standing);
    await endTask(db, task.id, "done", frames);
    await apply(db, locked);
    return locked;
  });
  if (done === undefined) return;
  context.logger.info(
    { encodeId: done.encode.id, ...lease, worker: done.task.workerId },
    `a worker completed the ${kind} task`,
  );
  await followUp(context, { encodeId: done.encode.id, tasks: [done.task] });
}
