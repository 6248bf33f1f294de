import type { EncodePlan } from "@kinora/media";
import { EncodePlanSchema, StreamResultSchema } from "@kinora/proto-encoder";
import type { Context } from "../context.ts";
import { transition } from "../domain/encode-state.ts";
import { checkShare } from "../domain/progress.ts";
import { lightQueue } from "../domain/task-kind.ts";
import { fromStored, toStored } from "../messages/stored-json.ts";
import type { Db } from "../store/db.ts";
import { findEncodeDetails } from "../store/encode-details.store.ts";
import { type LockedEncode, updateEncode } from "../store/locked-encode.store.ts";
import { listTasks } from "../store/task.store.ts";
import { hasBeginning, isEncoded, listOutputs } from "../store/task-result.store.ts";
import { publishBeginning } from "../store/video.store.ts";
import { assembleStream } from "../stream/assemble-stream.ts";
import { readOutputs } from "../stream/read-outputs.ts";
import { recordEvent } from "../webhook/record-event.ts";
import { type Ended, endEncode, followUp } from "./end-encode.ts";
import { makeChunksAgain } from "./make-again.ts";
import { announceTasks, queueTasks } from "./queue-tasks.ts";

/** What must follow once the transaction is committed that moved an encode on. */
export type Advanced = { encodeId: string; queues: string[]; ended?: Ended | undefined };

/**
 * Moves a locked encode on after something of it has been done: its beginning becomes playable, and when everything is encoded the stream is put together and handed to the
 * verification. After the commit, call `announceAdvance`.
 */
export async function advanceEncode(context: Context, db: Db, encode: LockedEncode): Promise<Advanced> {
  const advanced: Advanced = { encodeId: encode.id, queues: [] };
  if (!encode.playable && (await hasBeginning(db, encode.id))) {
    await updateEncode(db, encode.id, encode.state, { playable: true });
    await publishBeginning(db, encode.videoId, encode.id);
    const { id: encodeId, ownerId, videoId } = encode;
    await recordEvent(context, db, { type: "encode.playable", ownerId, videoId, encodeId });
  }
  const state = transition(encode.state, "encoded");
  if (state === undefined || !(await isEncoded(db, encode.id))) return advanced;

  const plan: EncodePlan | undefined = fromStored(EncodePlanSchema, (await findEncodeDetails(db, encode.id))?.plan);
  if (plan?.complete !== true) return advanced;
  const assembly = assembleStream(plan, readOutputs(await listOutputs(db, encode.id)));
  if (assembly.result === undefined) {
    const { fault, segments = [] } = assembly;
    const queues = await makeChunksAgain(context, db, encode, segments);
    if (queues.length > 0) return { ...advanced, queues };
    const error = `The parts of the stream don't fit together: ${fault}`;
    return { ...advanced, ended: await endEncode(context, db, encode, "failed", { error }) };
  }
  await updateEncode(db, encode.id, state, {
    result: toStored(StreamResultSchema, assembly.result),
    hasPoster: assembly.result.poster !== "",
  });
  const tasks = await listTasks(db, encode.id);
  // There is one already where the verification itself failed, and the encode is tried again.
  if (!tasks.some((task) => task.kind === "verify")) {
    const verify = { kind: "verify", queue: lightQueue, weight: encode.durationSeconds * checkShare } as const;
    advanced.queues = await queueTasks(context, db, encode, [verify]);
  }
  return advanced;
}

/** Tells everybody how an encode has moved on. */
export async function announceAdvance(context: Context, advanced: Advanced): Promise<void> {
  context.encodeChanged.notify(advanced.encodeId);
  announceTasks(context, advanced.queues);
  context.queue.wake();
  if (advanced.ended) await followUp(context, advanced.ended);
}
