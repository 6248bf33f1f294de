import type { Context } from "../context.ts";
import { isFinal } from "../domain/encode-state.ts";
import type { TaskGroup } from "../domain/progress.ts";
import type { EncodeParts } from "../messages/encode-message.ts";
import type { EncodeRecord } from "../store/encode.store.ts";
import { findEncodeDetails } from "../store/encode-details.store.ts";
import { listFailedTasks } from "../store/task.store.ts";
import { groupTasks, sumTracks } from "../store/task-progress.store.ts";
import { findFamilies } from "../store/worker.store.ts";
import { streamSeconds } from "../stream/stream-seconds.ts";

/** Everything that is said of one encode, with its large parts if they are wanted. */
export async function findEncodeParts(
  context: Pick<Context, "db" | "streams" | "gpuPatienceSeconds">,
  encode: EncodeRecord,
  withDetails: boolean,
): Promise<EncodeParts> {
  const { db } = context;
  const [groups, tracks, details, failed, stream] = await Promise.all([
    groupTasks(db, [encode.id]),
    sumTracks(db, encode.id),
    withDetails ? findEncodeDetails(db, encode.id) : undefined,
    encode.state === "failed" ? listFailedTasks(db, encode.id) : undefined,
    encode.chunked && encode.playable && !isFinal(encode.state) ? context.streams.find(encode) : undefined,
  ]);
  const playableSeconds =
    encode.state === "succeeded" ? encode.durationSeconds : stream ? streamSeconds(stream.result, "shortest") : 0;
  const own = groups.get(encode.id) ?? [];
  const patienceSeconds = encode.anyFamily ? context.gpuPatienceSeconds : 0;
  const fleet = isStuck(encode, own) ? { ...(await findFamilies(db)), patienceSeconds } : undefined;
  return { groups: own, tracks, details, failed, playableSeconds, fleet };
}

/** So long an encode may wait before somebody asks why, in milliseconds. */
const patienceMs = 30_000;

/** Whether nobody works on an encode that has been there for a while. */
function isStuck(encode: EncodeRecord, groups: readonly TaskGroup[]): boolean {
  const waits = groups.some((group) => group.state === "waiting") && !groups.some((group) => group.state === "leased");
  return waits && Date.now() - encode.createdAt.getTime() > patienceMs;
}
