import { dashManifest } from "./dash.ts";
import { hlsMaster, hlsMedia } from "./hls.ts";
import type { StreamResult } from "./types.ts";

/** A text file of a stream. */
export type PlaylistFile = {
  /** Where it lies within the stream, such as `720p/playlist.m3u8`. */
  path: string;
  contentType: string;
  text: string;
};

/** Every playlist and manifest of a stream, those that name others last. */
export function playlistFiles(result: StreamResult): PlaylistFile[] {
  const hls = "application/vnd.apple.mpegurl";
  const tracks = [...result.video, ...(result.audio ? [result.audio] : [])];
  return [
    ...tracks.map((track) => ({ path: `${track.name}/playlist.m3u8`, contentType: hls, text: hlsMedia(track) })),
    { path: "manifest.mpd", contentType: "application/dash+xml", text: dashManifest(result) },
    { path: "master.m3u8", contentType: hls, text: hlsMaster(result) },
  ];
}
