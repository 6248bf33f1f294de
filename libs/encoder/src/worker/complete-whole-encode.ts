import { EncodePlanSchema, type StreamResult, StreamResultSchema } from "@kinora/proto-encoder";
import type { Context } from "../context.ts";
import { transition } from "../domain/encode-state.ts";
import { leaseStanding } from "../domain/lease.ts";
import { streamPrefix } from "../domain/object-keys.ts";
import { filesFault, streamFault } from "../domain/stream-check.ts";
import { fromStored, toStored } from "../messages/stored-json.ts";
import { findEncodeDetails } from "../store/encode-details.store.ts";
import { updateEncode } from "../store/locked-encode.store.ts";
import { findTaskAndEncode } from "../store/task.store.ts";
import { finishTask } from "../store/task-state.store.ts";
import { publishEncode } from "../store/video.store.ts";
import { recordEvent } from "../webhook/record-event.ts";
import { filesPresent } from "./files-present.ts";
import { type Lease, leaseGone } from "./locked-task.ts";
import { writePlaylists } from "./publish-stream.ts";
import { refuseResult } from "./refuse-result.ts";
import { settleTask } from "./settle-task.ts";

/** How long it may take to check and publish a stream, in milliseconds. */
const publishMs = 120_000;

/**
 * Takes a stream that an earlier release planned as one task: checks it against the plan and its files, writes the playlists, and publishes it in one transaction. A result that isn't
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
  const found = await findTaskAndEncode(context.db, lease.taskId);
  if (found === undefined) throw leaseGone("cancelled");
  const { task, encode } = found;
  const prefix = streamPrefix(encode.videoId, encode.id, lease.attempt);
  if (task.kind === "encode" && leaseStanding(task, lease.attempt) === "held") {
    const fault = await findFault(context, encode.id, prefix, result, signal);
    if (fault !== undefined) {
      return await refuseResult(context, lease, fault, signal);
    }
    await writePlaylists(context.storage, prefix, encode.id, result, signal);
  }
  const frames = result.video[0]?.frames ?? 0;
  const known = { ...lease, encodeId: encode.id };
  await settleTask(context, known, "encode", signal, async (db, { encode: locked, task: own }) => {
    const state = transition(locked.state, "published");
    if (state === undefined) throw leaseGone("cancelled");
    await finishTask(db, own.id, { frames });
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
    return undefined;
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
  return filesFault(result, await filesPresent(context.storage, prefix, signal));
}
