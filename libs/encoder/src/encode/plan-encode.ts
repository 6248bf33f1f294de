import { type Client, Code, ConnectError } from "@connectrpc/connect";
import { planEncode } from "@kinora/media";
import { EncodePlanSchema, EncodeSettingsSchema, MediaInfoSchema } from "@kinora/proto-encoder";
import type { QuotaService } from "@kinora/proto-user";
import type { Context } from "../context.ts";
import { transition } from "../domain/encode-state.ts";
import { fromStored, toStored } from "../messages/stored-json.ts";
import { mostStreamBytes, reserveForStream } from "../quota/reserve-storage.ts";
import type { Db } from "../store/db.ts";
import { type EncodeRecord, findEncode } from "../store/encode.store.ts";
import { findEncodeDetails, findSettings } from "../store/encode-details.store.ts";
import { type LockedEncode, lockEncode, updateEncode } from "../store/locked-encode.store.ts";
import { listTasks } from "../store/task.store.ts";
import { publishBeginning } from "../store/video.store.ts";
import { findFleet } from "../store/worker.store.ts";
import { type Advanced, advanceEncode, announceAdvance } from "./advance-encode.ts";
import { endEncode, followUp } from "./end-encode.ts";
import { announceTasks, queueTasks } from "./queue-tasks.ts";
import { tasksOfHead } from "./wanted-tasks.ts";

/** After this time without the user service an encode fails, in milliseconds. */
const patienceMs = 24 * 3600 * 1000;

type Quota = Client<typeof QuotaService>;

/**
 * Makes the plan of a probed encode, reserves quota for it and queues its tasks; for one that is tried again, queues what is left of them. Throws where the user service can't
 * be reached: the job is repeated then. Repeating it is harmless, whatever happened to the encode meanwhile.
 */
export async function makePlan(context: Context, quota: Quota, encodeId: string, signal: AbortSignal): Promise<void> {
  const encode = await findEncode(context.db, encodeId);
  if (encode?.state !== "planning") return await settleLeftover(quota, encodeId, encode, signal);
  const details = await findEncodeDetails(context.db, encodeId);
  const media = fromStored(MediaInfoSchema, details?.media);
  if (media === undefined) throw new Error(`Encode ${encodeId} waits for its plan but was never probed.`);
  const made = fromStored(EncodePlanSchema, details?.plan);
  const settings = fromStored(EncodeSettingsSchema, await findSettings(context.db, encodeId));
  const decision = made ? { plan: made } : planEncode(media, settings, await findFleet(context.db));
  if (decision.plan === undefined) return await failEncode(context, encodeId, decision.refusal, signal);
  const plan = { ...decision.plan, profile: encode.profile };
  const refusal = await reserveQuota(quota, encode, signal);
  if (refusal !== undefined) return await failEncode(context, encodeId, refusal, signal);
  const { reservationId: itemId, ownerId } = encode;
  const room = { itemId, ownerId, bytes: mostStreamBytes(plan, encode.durationSeconds) };
  const noRoom = await reserveForStream(quota, room, signal);
  if (noRoom !== undefined) return await failEncode(context, encodeId, noRoom, signal);

  const planned = await context.db.transact(signal, async (db) => {
    const locked = await lockEncode(db, encodeId);
    const state = locked && transition(locked.state, "planned");
    if (locked === undefined || state === undefined) return undefined;
    await updateEncode(db, encodeId, state, { plan: toStored(EncodePlanSchema, plan), chunked: true });
    if (made) return await resume(context, db, { ...locked, state });
    return { queues: await queueTasks(context, db, locked, tasksOfHead(plan, media)) };
  });
  if (planned === undefined) {
    return await settleLeftover(quota, encodeId, await findEncode(context.db, encodeId), signal);
  }
  context.encodeChanged.notify(encodeId);
  announceTasks(context, planned.queues);
  if (planned.advanced) await announceAdvance(context, planned.advanced);
}

/** Queues what is left of an encode that is tried again. */
async function resume(
  context: Context,
  db: Db,
  encode: LockedEncode,
): Promise<{ queues: string[]; advanced?: Advanced }> {
  const waiting = (await listTasks(db, encode.id)).filter((task) => task.state === "waiting");
  for (const task of waiting) {
    const job = { id: task.id, place: task.place, ownerId: encode.ownerId };
    await context.queue.sendTasks(db, task.queue, [job]);
  }
  if (encode.playable) await publishBeginning(db, encode.videoId, encode.id);
  const advanced = await advanceEncode(context, db, encode);
  return { queues: [...new Set(waiting.map((task) => task.queue))], advanced };
}

/** The encode ended before its plan was made; what this job may have reserved since then would stay reserved. */
async function settleLeftover(
  quota: Quota,
  encodeId: string,
  encode: EncodeRecord | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (encode === undefined || encode.state === "cancelled" || encode.state === "failed") {
    await releaseQuota(quota, encode?.reservationId ?? encodeId, signal);
  }
}

/** Reserves quota, or more of it; the answer is why there is none, in words for the person who sent the video. */
export async function reserveQuota(
  quota: Quota,
  encode: EncodeRecord,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const reservation = {
      reservationId: encode.reservationId,
      userId: encode.ownerId,
      seconds: encode.durationSeconds,
    };
    await quota.reserveQuota(reservation, { signal, timeoutMs: 10_000 });
    return undefined;
  } catch (error) {
    const { code, rawMessage } = ConnectError.from(error);
    if (code === Code.ResourceExhausted) return rawMessage;
    if (code === Code.NotFound) return "The account that sent this video doesn't exist any more.";
    if (code === Code.FailedPrecondition)
      return "The quota that was reserved for this encode has lapsed. Start it again.";
    const waitedMs = Date.now() - (encode.probedAt ?? encode.createdAt).getTime();
    if (waitedMs > patienceMs)
      return "The quota couldn't be checked for a day, since the user service didn't answer. Start the encode again.";
    throw error;
  }
}

/** Ends an encode that can't go on, with why in words for the person who sent the video. */
export async function failEncode(
  context: Context,
  encodeId: string,
  error: string,
  signal: AbortSignal,
): Promise<void> {
  const ended = await context.db.transact(signal, async (db) => {
    const encode = await lockEncode(db, encodeId);
    return encode && (await endEncode(context, db, encode, "failed", { error }));
  });
  if (ended !== undefined) await followUp(context, ended);
}

/** Tells the user service what an encode used. */
export async function settleQuota(
  quota: Quota,
  reservationId: string,
  seconds: number,
  signal: AbortSignal,
): Promise<void> {
  await ignoringSettled(quota.settleQuota({ reservationId, seconds }, { signal, timeoutMs: 10_000 }));
}

/** Gives back what an encode had reserved. */
export async function releaseQuota(quota: Quota, reservationId: string, signal: AbortSignal): Promise<void> {
  await ignoringSettled(quota.releaseQuota({ reservationId }, { signal, timeoutMs: 10_000 }));
}

// Settled or released before, or lapsed together with its account: repeating the call can't change that.
async function ignoringSettled(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    const { code } = ConnectError.from(error);
    if (code !== Code.FailedPrecondition && code !== Code.NotFound) throw error;
  }
}
