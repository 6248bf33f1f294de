import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "../context.ts";
import { transition } from "../domain/encode-state.ts";
import { attemptsPrefix } from "../domain/object-keys.ts";
import { type Forsaken, forgetPlan, listForsaken } from "../store/forsaken.store.ts";
import { lockEncode } from "../store/locked-encode.store.ts";
import { deleteTasks, listTasks } from "../store/task.store.ts";
import { withdrawStream } from "../store/video.store.ts";
import { recordEvent } from "../webhook/record-event.ts";
import { sendCleanup } from "./cleanup.ts";
import { followUp } from "./end-encode.ts";

/** Longest time between two looks for such encodes, in seconds. */
const lookSeconds = 10;
const batch = 100;

/**
 * Has encodes planned anew on the CPU whose GPU workers have been gone for `gpuPatienceSeconds`, until the signal aborts. The time counts from this process's start, and from the database's last
 * absence: nobody could ask for work before.
 */
export async function leaveGoneFamilies(context: Context, signal: AbortSignal): Promise<void> {
  const patienceSeconds = context.gpuPatienceSeconds;
  let seesSince = performance.now();
  while (!signal.aborted) {
    await sleep(Math.min(lookSeconds, patienceSeconds) * 1000, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    try {
      const forsaken = await listForsaken(context.db, patienceSeconds, batch);
      if (performance.now() - seesSince < patienceSeconds * 1000) continue;
      for (const one of forsaken) await leaveFamily(context, one, signal);
    } catch (error) {
      if (signal.aborted) return;
      seesSince = performance.now();
      context.logger.warn({ err: error }, "could not look for encodes whose workers are gone");
    }
  }
}

/** A stream has one encoder family, so that nothing of what was made stays; the reservation of quota does. */
async function leaveFamily(context: Context, { encodeId, family }: Forsaken, signal: AbortSignal): Promise<void> {
  const patienceSeconds = context.gpuPatienceSeconds;
  const dropped = await context.db.transact(signal, async (db) => {
    const encode = await lockEncode(db, encodeId);
    if (encode === undefined || transition(encode.state, "family gone") !== "planning") return undefined;
    // Such a worker may have come meanwhile.
    if ((await listForsaken(db, patienceSeconds, 1, encodeId)).length === 0) return undefined;
    const notice = `Begun anew on the CPU: no worker with ${family} was there for ${patienceSeconds} seconds.`;
    await forgetPlan(db, encodeId, notice);
    const tasks = (await listTasks(db, encodeId)).filter((task) => task.kind !== "probe");
    await deleteTasks(
      db,
      tasks.map((task) => task.id),
    );
    await withdrawStream(db, encode.videoId, encodeId);
    await sendCleanup(context, db, { prefixes: tasks.map((task) => attemptsPrefix(encode, task.id)) });
    const { ownerId, videoId } = encode;
    await recordEvent(context, db, { type: "encode.replanned", ownerId, videoId, encodeId, data: { reason: notice } });
    await context.queue.send(db, "plan", { encodeId });
    return tasks;
  });
  if (dropped === undefined) return;
  context.logger.warn({ encodeId, family }, "an encode begins anew on the CPU: its workers are gone");
  await followUp(context, { encodeId, tasks: dropped });
}
