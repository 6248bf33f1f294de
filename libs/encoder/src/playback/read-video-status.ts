import type { TrackStatus, VideoStatus } from "@kinora/player";
import { chunksAreKnown, progressOf, type TaskGroup, trackProgressOf } from "../domain/progress.ts";
import { createShortMemory } from "../short-memory.ts";
import type { Db } from "../store/db.ts";
import { type EncodeRecord, findEncode, findLatestEncodes } from "../store/encode.store.ts";
import { findPlayableStream, type PlayableStream } from "../store/playable-stream.store.ts";
import { groupTasks, sumTracks } from "../store/task-progress.store.ts";
import { findImagesOutput } from "../store/task-result.store.ts";
import { findVideo } from "../store/video.store.ts";

/** Tells how far videos are, for their pages. */
export type VideoStatuses = {
  /** Undefined if there is no such video. */
  find(videoId: string): Promise<VideoStatus | undefined>;
};

/** Everybody who looks at a video's page asks every other second; the database is asked once in this time, in milliseconds. */
const freshMs = 1_000;
/** Videos whose status is kept in memory. */
const most = 1_000;

/** Makes a reader with a small memory: a thousand viewers cost as much as one. */
export function createVideoStatuses(db: Db): VideoStatuses {
  const memory = createShortMemory<VideoStatus | undefined>(most);
  return { find: (videoId) => memory.get(videoId, freshMs, () => readVideoStatus(db, videoId)) };
}

async function readVideoStatus(db: Db, videoId: string): Promise<VideoStatus | undefined> {
  if ((await findVideo(db, videoId)) === undefined) return undefined;
  const stream = await findPlayableStream(db, videoId);
  // A whole stream is what people come for, whatever an encode does that was started later.
  const encode = stream?.final ? await findEncode(db, stream.encodeId) : await latestEncode(db, videoId);
  const groups =
    encode === undefined || stream?.final ? [] : ((await groupTasks(db, [encode.id])).get(encode.id) ?? []);
  return {
    ...stateOf(encode, stream, groups),
    tracks: groups.length === 0 || encode === undefined ? [] : await tracksOf(db, encode, chunksAreKnown(groups)),
    durationSeconds: encode?.durationSeconds ?? 0,
    stream: stream?.encodeId ?? "",
    streamSince: stream?.since?.toISOString() ?? "",
    ...(await picturesOf(db, stream, encode)),
  };
}

const latestEncode = async (db: Db, videoId: string) => (await findLatestEncodes(db, [videoId])).get(videoId);

async function tracksOf(db: Db, { id, durationSeconds }: EncodeRecord, isPlanned: boolean): Promise<TrackStatus[]> {
  const tracks = await sumTracks(db, id);
  return tracks.map((track) => ({ name: track.name, ...trackProgressOf(track, durationSeconds, isPlanned) }));
}

/** State, share and speed. Pure. */
export function stateOf(
  encode: Pick<EncodeRecord, "state" | "durationSeconds"> | undefined,
  stream: Pick<PlayableStream, "final"> | undefined,
  groups: readonly TaskGroup[],
): Pick<VideoStatus, "state" | "fraction" | "speed" | "remainingSeconds"> {
  if (stream?.final) return { state: "ready", fraction: 1, speed: 0 };
  if (encode === undefined) return { state: "uploading", fraction: 0, speed: 0 };
  const { frames: _, ...progress } = progressOf(encode.state, groups, encode.durationSeconds);
  switch (encode.state) {
    case "failed":
    case "cancelled":
      return { state: encode.state, fraction: 0, speed: 0 };
    default: {
      const has = (state: TaskGroup["state"]) => groups.some((group) => group.state === state && group.tasks > 0);
      const waits = groups.length === 0 || (has("waiting") && !has("leased"));
      return { state: waits ? "waiting" : "encoding", ...progress };
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
