import { dashManifest, hlsMaster, playlistFiles, type StreamResult } from "@kinora/media";
import { DomainError } from "@kinora/rpc";
import { type ObjectStore, StorageFullError } from "@kinora/storage";

/** Names of the two files that play a stream from the video's own addresses, one folder above the stream's. */
export const videoMaster = "video-master.m3u8";
/** See `videoMaster`. */
export const videoManifest = "video-manifest.mpd";

/** Writes everything that players read beside the segments below `prefix`. Nobody sees it before the database says that it is published. */
export async function writePlaylists(
  storage: ObjectStore,
  prefix: string,
  encodeId: string,
  result: StreamResult,
  signal: AbortSignal,
): Promise<void> {
  const files = [
    ...playlistFiles(result),
    { path: videoMaster, text: hlsMaster(result, { base: `${encodeId}/` }) },
    { path: videoManifest, text: dashManifest(result, { base: `${encodeId}/` }) },
  ];
  try {
    for (const { path, text } of files) await storage.put(prefix + path, text, { signal });
  } catch (error) {
    // The worker tries again for a while: somebody may make room.
    throw error instanceof StorageFullError ? new DomainError("unavailable", error.message, { cause: error }) : error;
  }
}
