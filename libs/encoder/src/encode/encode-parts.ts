import type { Context } from "../context.ts";
import { isFinal } from "../domain/encode-state.ts";
import type { EncodeParts } from "../messages/encode-message.ts";
import type { EncodeRecord } from "../store/encode.store.ts";
import { findEncodeDetails } from "../store/encode-details.store.ts";
import { listFailedTasks } from "../store/task.store.ts";
import { groupTasks, sumTracks } from "../store/task-progress.store.ts";
import { streamSeconds } from "../stream/stream-seconds.ts";

/** Everything that is said of one encode, with its large parts if they are wanted. */
export async function findEncodeParts(
  context: Pick<Context, "db" | "streams">,
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
  return { groups: groups.get(encode.id) ?? [], tracks, details, failed, playableSeconds };
}
