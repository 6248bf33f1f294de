/** What a test may change while the server runs. */
export type Script = {
  /** Access tokens live this long. */
  accessMs: number;
  /** How encodes end. */
  outcome: "succeeded" | "failed" | "never";
  /** The next PATCH is cut after this many bytes. */
  cutUploadAfter: number | undefined;
  /** CancelEncode takes this long. */
  cancelMs: number;
  /** Every PATCH waits this long before it takes its bytes. */
  uploadDelayMs: number;
  /** The next requests for files of the stream are answered with 503. */
  failDownloads: number;
  /** Files of finished streams. */
  files: Record<string, string>;
};

const stream = {
  "master.m3u8": "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000\n240p/playlist.m3u8\n",
  "240p/playlist.m3u8": '#EXTM3U\n#EXT-X-MAP:URI="init.mp4"\n#EXTINF:4,\n1.m4s\n#EXTINF:2,\n2.m4s\n#EXT-X-ENDLIST\n',
  "240p/init.mp4": "initialisation",
  "240p/1.m4s": "first segment",
  "240p/2.m4s": "second segment",
  "manifest.mpd": "<MPD/>",
  "poster.jpg": "picture",
};

/** A server without faults. */
export function createScript(): Script {
  return {
    accessMs: 600_000,
    outcome: "succeeded",
    cutUploadAfter: undefined,
    cancelMs: 0,
    uploadDelayMs: 0,
    failDownloads: 0,
    files: { ...stream },
  };
}
