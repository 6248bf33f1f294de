import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { EncodePlanSchema, type Task, TaskSchema } from "@kinora/proto-encoder";
import type { Context } from "../context.ts";
import { encodeTimeLimitSeconds, heartbeatSeconds, probeTimeLimitSeconds } from "../domain/lease.ts";
import { sourceKey } from "../domain/object-keys.ts";
import { fromStored } from "../messages/stored-json.ts";
import { findEncode, findEncodeDetails } from "../store/encode.store.ts";
import { findVideo } from "../store/video.store.ts";
import type { LeasedTask } from "./take-tasks.ts";

/** The address of the source outlives the task's time by this much, in seconds: clocks differ. */
const marginSeconds = 300;

/** What a worker must know of a task that it has leased; undefined if it was deleted since. */
export async function describeTask(context: Context, leased: LeasedTask): Promise<Task | undefined> {
  const encode = await findEncode(context.db, leased.encodeId);
  const video = encode && (await findVideo(context.db, encode.videoId));
  if (encode === undefined || video === undefined) return undefined;
  const timeLimit = leased.kind === "probe" ? probeTimeLimitSeconds : encodeTimeLimitSeconds(encode.durationSeconds);
  const plan =
    leased.kind === "encode"
      ? fromStored(EncodePlanSchema, (await findEncodeDetails(context.db, encode.id))?.plan)
      : undefined;
  return create(TaskSchema, {
    lease: { taskId: leased.taskId, attempt: leased.attempt },
    encodeId: encode.id,
    sourceUrl: await context.storage.sign(sourceKey(video.id), {
      method: "GET",
      expiresInSeconds: timeLimit + marginSeconds,
    }),
    sourceBytes: BigInt(video.sizeBytes),
    heartbeatInterval: durationFromMs(heartbeatSeconds * 1000),
    timeLimit: durationFromMs(timeLimit * 1000),
    work: plan ? { case: "encode", value: { plan } } : { case: "probe", value: {} },
  });
}
