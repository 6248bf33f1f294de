import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import {
  AnalyseTaskSchema,
  AudioTaskSchema,
  EncodeChunkTaskSchema,
  EncodePlanSchema,
  ImagesTaskSchema,
  StreamResultSchema,
  type Task,
  TaskSchema,
  TrialTaskSchema,
} from "@kinora/proto-encoder";
import type { Context } from "../context.ts";
import { heartbeatSeconds, timeLimitSeconds } from "../domain/lease.ts";
import { fromStored } from "../messages/stored-json.ts";
import { findEncodeDetails } from "../store/encode-details.store.ts";
import { signSource } from "./source-address.ts";
import type { LeasedTask } from "./take-tasks.ts";

/** What a worker must know of a task that it has leased; undefined if it was deleted since. */
export async function describeTask(context: Context, leased: LeasedTask): Promise<Task | undefined> {
  const work = await workOf(context, leased);
  if (work === undefined) return undefined;
  // Light tasks go through all of the video.
  const seconds = leased.kind === "encode_chunk" && leased.weight > 0 ? leased.weight : leased.durationSeconds;
  const timeLimit = timeLimitSeconds(leased.kind, seconds);
  return create(TaskSchema, {
    lease: { taskId: leased.taskId, attempt: leased.attempt },
    encodeId: leased.encodeId,
    sourceUrl: await signSource(context, leased.videoId),
    sourceBytes: BigInt(leased.sizeBytes),
    heartbeatInterval: durationFromMs(heartbeatSeconds * 1000),
    timeLimit: durationFromMs(timeLimit * 1000),
    work,
  });
}

async function workOf(
  context: Context,
  { kind, work, encodeId, videoId }: LeasedTask,
): Promise<Task["work"] | undefined> {
  switch (kind) {
    case "probe":
      return { case: "probe", value: {} as never };
    case "analyse":
      return wrap("analyse", fromStored(AnalyseTaskSchema, work));
    case "encode_chunk":
      return wrap("encodeChunk", fromStored(EncodeChunkTaskSchema, work));
    case "audio":
      return wrap("audio", fromStored(AudioTaskSchema, work));
    case "images":
      return wrap("images", fromStored(ImagesTaskSchema, work));
    case "trial":
      return wrap("trial", fromStored(TrialTaskSchema, work));
    case "encode":
    case "verify": {
      const details = await findEncodeDetails(context.db, encodeId);
      const plan = fromStored(EncodePlanSchema, details?.plan);
      if (plan === undefined) return undefined;
      if (kind === "encode") return { case: "encode", value: { plan } as never };
      const result = fromStored(StreamResultSchema, details?.result);
      const streamUrl = `${context.internalUrl()}/videos/${videoId}/${encodeId}`;
      return { case: "verify", value: { streamUrl, plan, result } as never };
    }
  }
}

function wrap<C extends string, V>(name: C, value: V | undefined): { case: C; value: V } | undefined {
  return value === undefined ? undefined : { case: name, value };
}
