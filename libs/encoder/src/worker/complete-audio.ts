import { AudioTaskSchema, type TrackResult, TrackResultSchema } from "@kinora/proto-encoder";
import { DomainError } from "@kinora/rpc";
import type { Context } from "../context.ts";
import { leaseStanding } from "../domain/lease.ts";
import { attemptPrefix } from "../domain/object-keys.ts";
import { advanceEncode, announceAdvance } from "../encode/advance-encode.ts";
import { sendCleanup } from "../encode/cleanup.ts";
import { fromStored, toStored } from "../messages/stored-json.ts";
import { findTaskAndWork } from "../store/task.store.ts";
import { noteDelivered } from "../store/task-result.store.ts";
import { finishTask } from "../store/task-state.store.ts";
import { filesPresent, missingFile } from "./files-present.ts";
import { type Lease, leaseGone, lockLease } from "./locked-task.ts";
import { refuseResult } from "./refuse-result.ts";
import { settleTask } from "./settle-task.ts";

/** Takes a whole track of sound. */
export async function completeAudio(
  context: Context,
  lease: Lease,
  track: TrackResult,
  signal: AbortSignal,
): Promise<void> {
  const found = await findTaskAndWork(context.db, lease.taskId);
  if (found === undefined) throw leaseGone("cancelled");
  const { task, encode } = found;
  if (task.kind === "audio" && leaseStanding(task, lease.attempt) === "held") {
    const audio = fromStored(AudioTaskSchema, found.work)?.audio;
    const present = await filesPresent(context.storage, attemptPrefix(encode, task), signal);
    const fault =
      nameFault(task.tracks, track) ??
      (audio && (audio.sampleRate !== track.sampleRate || audio.channels !== track.channels)
        ? `the sound has ${track.channels} channels at ${track.sampleRate} Hz instead of ${audio.channels} at ${audio.sampleRate}.`
        : missingFile(track, present, 1));
    if (fault !== undefined) return await refuseResult(context, lease, fault, signal);
  }
  const known = { ...lease, encodeId: encode.id };
  await settleTask(context, known, "audio", signal, async (db, { encode: locked, task: own }) => {
    const bytes = track.segments.reduce((sum, segment) => sum + segment.bytes, 0);
    await finishTask(db, own.id, {
      result: toStored(TrackResultSchema, track),
      segments: track.segments.length,
      tracks: [{ bytes, measured: 0, xpsnr: 0 }],
    });
    // What earlier attempts brought was played until now.
    const former = Array.from({ length: own.attempt - 1 }, (_, before) =>
      attemptPrefix(locked, { ...own, attempt: before + 1 }),
    );
    await sendCleanup(context, db, { prefixes: former });
    return await advanceEncode(context, db, locked);
  });
}

/** Takes note of segments of sound that have been brought, while the rest is still made. */
export async function addSegments(
  context: Context,
  lease: Lease,
  track: TrackResult,
  signal: AbortSignal,
): Promise<void> {
  const advanced = await context.db.transact(signal, async (db) => {
    const locked = await lockLease(db, lease);
    if (locked === undefined) throw leaseGone("cancelled");
    const { standing, task, encode } = locked;
    if (standing === "completed") return undefined;
    if (standing !== "held") throw leaseGone(standing);
    const fault = task.kind === "audio" ? nameFault(task.tracks, track) : "only tracks of sound grow.";
    if (fault !== undefined) throw new DomainError("invalid", `These segments can't be added: ${fault}`);
    await noteDelivered(db, task.id, { attempt: task.attempt, track: toStored(TrackResultSchema, track) });
    return await advanceEncode(context, db, encode);
  });
  if (advanced) await announceAdvance(context, advanced);
}

function nameFault(tracks: readonly string[], track: TrackResult): string | undefined {
  if (!tracks.includes(track.name)) return `the track is ${track.name || "nameless"} instead of ${tracks.join()}.`;
  if (track.codecs === "" || track.timescale === 0 || track.initBytes === 0) return "the track is incomplete.";
  if (track.segments.length === 0) return "the track has no segments.";
  const empty = track.segments.findIndex((segment) => segment.duration === 0 || segment.bytes === 0);
  return empty < 0 ? undefined : `segment ${empty + 1} is empty.`;
}
