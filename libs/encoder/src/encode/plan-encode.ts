import { randomUUID } from "node:crypto";
import { type Client, Code, ConnectError } from "@connectrpc/connect";
import { planEncode } from "@kinora/media";
import { EncodePlanSchema, MediaInfoSchema } from "@kinora/proto-encoder";
import type { QuotaService } from "@kinora/proto-user";
import type { Context } from "../context.ts";
import { transition } from "../domain/encode-state.ts";
import { fromStored, toStored } from "../messages/stored-json.ts";
import { taskQueue } from "../queue/queue.ts";
import { type EncodeRecord, findEncode, findEncodeDetails, lockEncode, updateEncode } from "../store/encode.store.ts";
import { insertTask } from "../store/task.store.ts";
import { endEncode, followUp } from "./end-encode.ts";

/** After this time without the user service an encode fails, in milliseconds. */
const patienceMs = 24 * 3600 * 1000;

type Quota = Client<typeof QuotaService>;

/**
 * Makes the plan of a probed encode, reserves quota for it and queues its task. Throws where the user service can't be reached: the job is repeated then.
 * Repeating it is harmless, whatever happened to the encode meanwhile.
 */
export async function makePlan(context: Context, quota: Quota, encodeId: string, signal: AbortSignal): Promise<void> {
  const encode = await findEncode(context.db, encodeId);
  if (encode?.state !== "planning") return await settleLeftover(quota, encodeId, encode, signal);
  const media = fromStored(MediaInfoSchema, (await findEncodeDetails(context.db, encodeId))?.media);
  if (media === undefined) throw new Error(`Encode ${encodeId} waits for its plan but was never probed.`);
  const decision = planEncode(media);
  if (decision.refusal !== undefined) return await fail(context, encodeId, decision.refusal, signal);
  const refusal = await reserve(quota, encode, signal);
  if (refusal !== undefined) return await fail(context, encodeId, refusal, signal);

  const queue = taskQueue("cpu");
  const planned = await context.db.transact(signal, async (db) => {
    const locked = await lockEncode(db, encodeId);
    const state = locked && transition(locked.state, "planned");
    if (state === undefined) return false;
    await updateEncode(db, encodeId, state, { plan: toStored(EncodePlanSchema, decision.plan) });
    const taskId = randomUUID();
    await insertTask(db, { id: taskId, encodeId, kind: "encode", queue });
    await context.queue.sendTask(db, queue, taskId);
    return true;
  });
  if (!planned) return await settleLeftover(quota, encodeId, await findEncode(context.db, encodeId), signal);
  context.encodeChanged.notify(encodeId);
  context.taskWaits.notify(queue);
}

/** The encode ended before its plan was made; what this job may have reserved since then would stay reserved. */
async function settleLeftover(
  quota: Quota,
  encodeId: string,
  encode: EncodeRecord | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (encode === undefined || encode.state === "cancelled" || encode.state === "failed") {
    await releaseQuota(quota, encodeId, signal);
  }
}

/** Reserves quota; the answer is why there is none, in words for the person who sent the video. */
async function reserve(quota: Quota, encode: EncodeRecord, signal: AbortSignal): Promise<string | undefined> {
  try {
    const reservation = { reservationId: encode.id, userId: encode.ownerId, seconds: encode.durationSeconds };
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

async function fail(context: Context, encodeId: string, error: string, signal: AbortSignal): Promise<void> {
  const ended = await context.db.transact(signal, async (db) => {
    const encode = await lockEncode(db, encodeId);
    return encode && (await endEncode(context, db, encode, "failed", error));
  });
  if (ended !== undefined) await followUp(context, ended);
}

/** Tells the user service what an encode used. */
export async function settleQuota(quota: Quota, encodeId: string, seconds: number, signal: AbortSignal): Promise<void> {
  await ignoringSettled(quota.settleQuota({ reservationId: encodeId, seconds }, { signal, timeoutMs: 10_000 }));
}

/** Gives back what an encode had reserved. */
export async function releaseQuota(quota: Quota, encodeId: string, signal: AbortSignal): Promise<void> {
  await ignoringSettled(quota.releaseQuota({ reservationId: encodeId }, { signal, timeoutMs: 10_000 }));
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
