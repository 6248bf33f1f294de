import { dashManifest } from "./dash.ts";
import { hasKeyFrames, hlsKeyFrames, hlsMaster, hlsMedia } from "./hls.ts";
import type { StreamOptions } from "./stream-options.ts";
import { tracksOf } from "./tracks.ts";
import type { StreamResult } from "./types.ts";

/** A text file of a stream. */
export type PlaylistFile = {
  /** Where it lies within the stream, such as `720p/playlist.m3u8`. */
  path: string;
  contentType: string;
  text: string;
};

/** Every playlist and manifest of a stream, those that name others last. */
export function playlistFiles(result: StreamResult, options: StreamOptions = {}): PlaylistFile[] {
  const hls = "application/vnd.apple.mpegurl";
  return [
    ...tracksOf(result).map((track) => ({
      path: `${track.name}/playlist.m3u8`,
      contentType: hls,
      text: hlsMedia(track, options),
    })),
    ...result.video.filter(hasKeyFrames).map((track) => ({
      path: `${track.name}/iframes.m3u8`,
      contentType: hls,
      text: hlsKeyFrames(track, options),
    })),
    { path: "manifest.mpd", contentType: "application/dash+xml", text: dashManifest(result, options) },
    { path: "master.m3u8", contentType: hls, text: hlsMaster(result, options) },
  ];
}
