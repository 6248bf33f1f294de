import { dashManifest, hlsKeyFrames, hlsMaster, hlsMedia, tracksOf } from "@kinora/media";
import { attemptPrefix } from "../domain/object-keys.ts";
import type { Db } from "../store/db.ts";
import type { PlayableStream } from "../store/playable-stream.store.ts";
import { findImagesOutput, findTrackOutput, type TaskOutput } from "../store/task-result.store.ts";
import type { Stream, Streams } from "./streams.ts";

/** What is at an address of a stream: a text that is made for whoever asks, or an object. `final`: it never changes. */
export type Located = { text: string; final: boolean } | { key: string; final: boolean };

/**
 * Finds a file of a stream that is made of many tasks, by its path in the stream; `base` is the folder that playlists must name in front of its files. Each task has a folder of its own for
 * each attempt, and nothing is ever moved: a segment is the file of the attempt that was accepted.
 */
export async function locateFile(
  { db, streams }: { db: Db; streams: Streams },
  found: PlayableStream,
  path: string,
  base = "",
): Promise<Located | undefined> {
  const { encodeId, whole, final } = found;
  const text = /\.(?:m3u8|mpd)$/.test(path);
  if (text) {
    const stream = await streams.find({ id: encodeId, whole, final });
    const made = stream && playlist(stream, path, base);
    return made === undefined ? undefined : { text: made, final };
  }
  const [, track, file = path] = /^([^/]+)\/(.+)$/.exec(path) ?? [];
  const output =
    track === undefined
      ? await findImagesOutput(db, encodeId)
      : await findTrackOutput(db, encodeId, track, segmentOf(file));
  const attempt = output && attemptOf(output, segmentOf(file));
  if (output === undefined || attempt === undefined) return undefined;
  const task = { id: output.id, kind: output.kind, attempt };
  return { key: attemptPrefix({ id: encodeId, videoId: found.videoId }, task) + path, final };
}

function playlist({ result, options }: Stream, path: string, base: string): string | undefined {
  if (path === "master.m3u8") return hlsMaster(result, { ...options, base });
  if (path === "manifest.mpd") return dashManifest(result, { ...options, base });
  const [name, file] = path.split("/");
  const track = tracksOf(result).find((one) => one.name === name);
  if (track && file === "playlist.m3u8") return hlsMedia(track, options);
  return track && file === "iframes.m3u8" ? hlsKeyFrames(track, options) : undefined;
}

/** The number of a segment's file; undefined for the initialisation segment. */
function segmentOf(file: string): number | undefined {
  const [, number] = /^(\d+)\.m4s$/.exec(file) ?? [];
  return number === undefined ? undefined : Number(number);
}

/** The attempt whose file it is: the accepted one, or while sound is still made the latest that has brought so much. */
function attemptOf({ attempt, delivered }: TaskOutput, segment = 1): number | undefined {
  if (delivered.length === 0) return attempt;
  return delivered
    .filter((one) => brought(one.track) >= segment)
    .map((one) => one.attempt)
    .sort((a, b) => b - a)[0];
}

const brought = (track: unknown) => (track as { segments?: unknown[] }).segments?.length ?? 0;
