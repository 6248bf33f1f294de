/** What a player asks for. */
export type PlaybackPath = {
  videoId: string;
  /** One stream of the video; without it, the one that is published. */
  encodeId?: string;
  /** Which beginning of the encode the file is of, where it isn't the first. */
  edition?: number;
  /** Path of the object within the stream. */
  file: string;
  contentType: string;
  /** Whether the answer depends on which stream is published, or can never change. */
  versioned: boolean;
};

const uuid = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
const pattern = new RegExp(
  `^/videos/(${uuid})/(?:(${uuid})/(?:([2-9]|[1-9]\\d{1,3})/(?=[^/]+/))?)?([A-Za-z0-9._/-]+)$`,
);
const page = new RegExp(`^/videos/(${uuid})$`);
const status = new RegExp(`^/videos/(${uuid})/status\\.json$`);
const track = "[A-Za-z0-9_-]{1,64}";

/** Content type of HLS playlists. */
export const hlsType = "application/vnd.apple.mpegurl";
/** Content type of DASH manifests. */
export const dashType = "application/dash+xml";

/** Files of a stream that players may have; everything else stays unseen. */
const kinds: readonly { name: RegExp; contentType: (name: string) => string }[] = [
  { name: /^master\.m3u8$/, contentType: () => hlsType },
  { name: /^manifest\.mpd$/, contentType: () => dashType },
  { name: /^poster\.jpg$/, contentType: () => "image/jpeg" },
  { name: /^storyboard\.vtt$/, contentType: () => "text/vtt" },
  { name: /^storyboard-[1-9]\d{0,4}\.jpg$/, contentType: () => "image/jpeg" },
  { name: new RegExp(`^${track}/(?:playlist|iframes)\\.m3u8$`), contentType: () => hlsType },
  { name: new RegExp(`^${track}/(?:init\\.mp4|[1-9]\\d{0,8}\\.m4s)$`), contentType: mp4Type },
];

/** Reads the path of a playback request; undefined for one that can't exist. */
export function parsePlaybackPath(pathname: string): PlaybackPath | undefined {
  const [, videoId, encodeId, edition, file] = pattern.exec(pathname) ?? [];
  const kind = file === undefined ? undefined : kinds.find(({ name }) => name.test(file));
  if (videoId === undefined || file === undefined || kind === undefined) return undefined;
  return {
    videoId,
    ...(encodeId === undefined ? {} : { encodeId }),
    ...(edition === undefined ? {} : { edition: Number(edition) }),
    file,
    contentType: kind.contentType(file),
    versioned: encodeId !== undefined,
  };
}

/** The content type of a stream's file. */
export function contentTypeOf(file: string): string {
  return kinds.find(({ name }) => name.test(file))?.contentType(file) ?? "application/octet-stream";
}

/** Reads the path of a video's page, `/videos/{videoId}`; undefined for any other. */
export function parsePagePath(pathname: string): { videoId: string } | undefined {
  const [, videoId] = page.exec(pathname) ?? [];
  return videoId === undefined ? undefined : { videoId };
}

/** Reads the path of a video's status, `/videos/{videoId}/status.json`; undefined for any other. */
export function parseStatusPath(pathname: string): { videoId: string } | undefined {
  const [, videoId] = status.exec(pathname) ?? [];
  return videoId === undefined ? undefined : { videoId };
}

function mp4Type(file: string): string {
  return file.startsWith("audio") ? "audio/mp4" : "video/mp4";
}
