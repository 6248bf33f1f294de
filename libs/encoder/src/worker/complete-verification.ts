import { StreamResultSchema, type VerificationReport, VerificationReportSchema } from "@kinora/proto-encoder";
import type { Context } from "../context.ts";
import { transition } from "../domain/encode-state.ts";
import { endEncode } from "../encode/end-encode.ts";
import { makeChunksAgain } from "../encode/make-again.ts";
import { fromStored, toStored } from "../messages/stored-json.ts";
import type { Db } from "../store/db.ts";
import { findEncodeDetails } from "../store/encode-details.store.ts";
import { type LockedEncode, updateEncode } from "../store/locked-encode.store.ts";
import { deleteTasks } from "../store/task.store.ts";
import { finishTask } from "../store/task-state.store.ts";
import { publishEncode } from "../store/video.store.ts";
import { streamSeconds } from "../stream/stream-seconds.ts";
import { recordEvent } from "../webhook/record-event.ts";
import { type Lease, leaseGone } from "./locked-task.ts";
import { settleTask } from "./settle-task.ts";

/** Takes the report on a finished stream, and publishes the stream or withdraws it. The report stays with the encode either way. */
export async function completeVerification(
  context: Context,
  lease: Lease,
  report: VerificationReport,
  signal: AbortSignal,
): Promise<void> {
  await settleTask(context, lease, "verify", signal, async (db, { encode, task }) => {
    const state = transition(encode.state, "published");
    if (state === undefined) throw leaseGone("cancelled");
    const again = report.passed ? undefined : await makeFaultyAgain(context, db, encode, report);
    if (again !== undefined) {
      // Another one follows when they are there.
      await deleteTasks(db, [task.id]);
      return { encodeId: encode.id, queues: again };
    }
    const verification = toStored(VerificationReportSchema, report);
    await finishTask(db, task.id, { frames: report.decodedFrames, seconds: report.seconds });
    if (!report.passed) {
      const error = `The stream failed its verification. ${reasons(report)}`;
      const ended = await endEncode(context, db, encode, "failed", { error, verification });
      return { encodeId: encode.id, queues: [], ended };
    }
    const result = fromStored(StreamResultSchema, (await findEncodeDetails(db, encode.id))?.result);
    await updateEncode(db, encode.id, state, { verification });
    await publishEncode(db, encode.videoId, encode.id);
    await recordEvent(context, db, {
      type: "encode.succeeded",
      ownerId: encode.ownerId,
      videoId: encode.videoId,
      encodeId: encode.id,
    });
    const seconds = (result && streamSeconds(result)) || encode.durationSeconds;
    await context.queue.send(db, "settle", { encodeId: encode.id, reservationId: encode.reservationId, seconds });
    return undefined;
  });
}

/** Where the report names segments at fault, has their chunks made again. Undefined if it names none, or if that has been tried. */
async function makeFaultyAgain(
  context: Context,
  db: Db,
  encode: LockedEncode,
  report: VerificationReport,
): Promise<string[] | undefined> {
  const segments = report.checks.flatMap((check) => (check.outcome === "failed" ? check.segments : []));
  const state = transition(encode.state, "chunks made again");
  if (segments.length === 0 || state === undefined) return undefined;
  const queues = await makeChunksAgain(context, db, encode, segments);
  if (queues.length === 0) return undefined;
  context.logger.warn({ encodeId: encode.id, reason: reasons(report) }, "a stream failed its verification");
  await updateEncode(db, encode.id, state);
  return queues;
}

function reasons({ checks }: VerificationReport): string {
  const failed = checks.filter((check) => check.outcome === "failed");
  const texts = failed.slice(0, 5).map(({ name, track, detail }) => `${name}${track ? ` of ${track}` : ""}: ${detail}`);
  return [...texts, ...(failed.length > 5 ? [`and ${failed.length - 5} more`] : [])].join("; ") || "It gave no reason.";
}
