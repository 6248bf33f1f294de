import type { StreamResult, TrackResult } from "./types.ts";

/** A text file of a stream. */
export type PlaylistFile = {
  /** Where it lies within the stream, such as `720p/playlist.m3u8`. */
  path: string;
  contentType: string;
  text: string;
};

/** Writes the HLS multivariant playlist, `master.m3u8`. */
export function hlsMaster(result: StreamResult): string {
  throw new Error(`not written yet: ${result.poster}`);
}

/** Writes the HLS media playlist of one track, `{name}/playlist.m3u8`. */
export function hlsMedia(track: TrackResult): string {
  throw new Error(`not written yet: ${track.name}`);
}

/** Writes the DASH manifest, `manifest.mpd`, over the same segments. */
export function dashManifest(result: StreamResult): string {
  throw new Error(`not written yet: ${result.poster}`);
}

/** Every playlist and manifest of a stream. */
export function playlistFiles(result: StreamResult): PlaylistFile[] {
  const hls = "application/vnd.apple.mpegurl";
  return [
    ...[...result.video, ...(result.audio ? [result.audio] : [])].map((track) => ({
      path: `${track.name}/playlist.m3u8`,
      contentType: hls,
      text: hlsMedia(track),
    })),
    { path: "manifest.mpd", contentType: "application/dash+xml", text: dashManifest(result) },
    { path: "master.m3u8", contentType: hls, text: hlsMaster(result) },
  ];
}
