import type { VideoStatus } from "@kinora/player";
import { type Progress, progressOf, type TaskGroup } from "../domain/progress.ts";
import type { Db } from "../store/db.ts";
import { type EncodeRecord, findEncode, findLatestEncodes } from "../store/encode.store.ts";
import { findPlayableStream, type PlayableStream } from "../store/playable-stream.store.ts";
import { groupTasks } from "../store/task-progress.store.ts";
import { findImagesOutput } from "../store/task-result.store.ts";
import { findVideo } from "../store/video.store.ts";

/** How far a video is, for its page; undefined if there is no such video. */
export async function readVideoStatus(db: Db, videoId: string): Promise<VideoStatus | undefined> {
  if ((await findVideo(db, videoId)) === undefined) return undefined;
  const stream = await findPlayableStream(db, videoId);
  // A whole stream is what people come for, whatever an encode does that was started later.
  const encode = stream?.final ? await findEncode(db, stream.encodeId) : await latestEncode(db, videoId);
  const groups =
    encode === undefined || stream?.final ? [] : ((await groupTasks(db, [encode.id])).get(encode.id) ?? []);
  return {
    ...stateOf(encode, stream, groups),
    durationSeconds: encode?.durationSeconds ?? 0,
    stream: stream?.encodeId ?? "",
    ...(await picturesOf(db, stream, encode)),
  };
}

const latestEncode = async (db: Db, videoId: string) => (await findLatestEncodes(db, [videoId])).get(videoId);

/** State, share and reason. Pure. */
export function stateOf(
  encode: Pick<EncodeRecord, "state" | "error" | "durationSeconds"> | undefined,
  stream: Pick<PlayableStream, "final"> | undefined,
  groups: readonly TaskGroup[],
): Pick<VideoStatus, "state" | "fraction" | "reason"> {
  if (stream?.final) return { state: "ready", fraction: 1, reason: "" };
  if (encode === undefined) return { state: "uploading", fraction: 0, reason: "" };
  const { fraction }: Progress = progressOf(encode.state, groups, encode.durationSeconds);
  switch (encode.state) {
    case "failed":
      return { state: "failed", fraction: 0, reason: encode.error };
    case "cancelled":
      return { state: "cancelled", fraction: 0, reason: "" };
    default: {
      const has = (state: TaskGroup["state"]) => groups.some((group) => group.state === state && group.tasks > 0);
      const waits = groups.length === 0 || (has("waiting") && !has("leased"));
      return { state: waits ? "waiting" : "encoding", fraction, reason: "" };
    }
  }
}

async function picturesOf(
  db: Db,
  stream: PlayableStream | undefined,
  encode: EncodeRecord | undefined,
): Promise<Pick<VideoStatus, "poster" | "storyboard">> {
  if (stream === undefined) return { poster: false, storyboard: false };
  if (!stream.chunked) return { poster: encode?.hasPoster ?? false, storyboard: false };
  const output = await findImagesOutput(db, stream.encodeId);
  const { poster, storyboard } = (output?.result ?? {}) as { poster?: string; storyboard?: unknown };
  return { poster: Boolean(poster), storyboard: storyboard !== undefined && storyboard !== null };
}
