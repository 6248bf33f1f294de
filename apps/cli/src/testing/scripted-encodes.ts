import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { timestampNow } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import {
  type Encode,
  EncodeProgressSchema,
  EncoderService,
  EncodeSchema,
  EncodeState,
  PlaybackSchema,
  StreamResultSchema,
  type Video,
  VideoSchema,
  VideoState,
} from "@kinora/proto-encoder";
import type { Script } from "./script.ts";
import type { ScriptedAccounts } from "./scripted-accounts.ts";

/** A video with what has arrived of it. */
export type ScriptedVideo = { video: Video; bytes: Buffer };

/** The videos and encodes of a scripted server. */
export type ScriptedEncodes = {
  routes(router: ConnectRouter): void;
  videos: Map<string, ScriptedVideo>;
  encodes: Map<string, Encode>;
};

/** Makes the encoder. `address` is the server's own. Names of calls are noted in `calls`. */
export function createEncodes(
  script: Script,
  calls: string[],
  { requireUser }: ScriptedAccounts,
  address: () => string,
): ScriptedEncodes {
  const videos = new Map<string, ScriptedVideo>();
  const encodes = new Map<string, Encode>();
  const found = <T>(value: T | undefined): T => {
    if (value === undefined) throw new ConnectError("there is no such thing", Code.NotFound);
    return value;
  };

  async function runEncode(encode: Encode): Promise<void> {
    const progress = (fraction: number) =>
      create(EncodeProgressSchema, { fraction, frames: BigInt(fraction * 144), speed: 2, remainingSeconds: 3 });
    const states: Partial<Encode>[] = [
      { state: EncodeState.PROBING },
      { state: EncodeState.ENCODING, progress: progress(0.25) },
      { state: EncodeState.ENCODING, progress: progress(0.75) },
    ];
    for (const next of states) {
      await sleep(30);
      if (encode.state >= EncodeState.SUCCEEDED) return; // the test or a cancel was quicker
      Object.assign(encode, next);
    }
    if (script.outcome === "never") return;
    await sleep(30);
    if (encode.state >= EncodeState.SUCCEEDED) return;
    if (script.outcome === "failed") {
      Object.assign(encode, { state: EncodeState.FAILED, error: "this is a text file, not a video" });
      return;
    }
    const base = `${address()}/videos/${encode.videoId}`;
    encode.playback = create(PlaybackSchema, {
      hlsUrl: `${base}/master.m3u8`,
      pageUrl: base,
      dashUrl: `${base}/manifest.mpd`,
      posterUrl: `${base}/poster.jpg`,
    });
    const segments = [
      { duration: 4000, bytes: 200_000 },
      { duration: 2000, bytes: 100_000 },
    ];
    const shape = { codecs: "avc1.640015", timescale: 1000, width: 426, height: 240, frames: 144 };
    const video240 = { name: "240p", ...shape, initBytes: 800, segments };
    encode.result = create(StreamResultSchema, { video: [video240], poster: "poster.jpg" });
    encode.state = EncodeState.SUCCEEDED;
    const video = videos.get(encode.videoId)?.video;
    if (video && encode.playback) video.playback = encode.playback;
  }

  const routes = (router: ConnectRouter) => {
    router.service(EncoderService, {
      createVideo({ name, sizeBytes }, context) {
        requireUser(context);
        calls.push("CreateVideo");
        const state = VideoState.UPLOADING;
        const video = create(VideoSchema, { id: randomUUID(), name, sizeBytes, state, createTime: timestampNow() });
        videos.set(video.id, { video, bytes: Buffer.alloc(0) });
        return { video, uploadUrl: `${address()}/uploads/${video.id}` };
      },
      getVideo({ id }, context) {
        requireUser(context);
        const { video } = found(videos.get(id));
        return { video, uploadUrl: video.state === VideoState.UPLOADED ? "" : `${address()}/uploads/${id}` };
      },
      listVideos({ pageSize, pageToken }, context) {
        requireUser(context);
        const all = [...videos.values()].map(({ video }) => video);
        const from = Number(pageToken || 0);
        const end = from + Math.min(pageSize, 2); // servers may give less than asked for
        return { videos: all.slice(from, end), nextPageToken: end < all.length ? String(end) : "" };
      },
      deleteVideo({ id }, context) {
        requireUser(context);
        videos.delete(id);
        return {};
      },
      startEncode({ videoId, profile, settings, priority }, context) {
        requireUser(context);
        calls.push("StartEncode");
        const { video } = found(videos.get(videoId));
        if (video.state !== VideoState.UPLOADED) throw new ConnectError("bytes are missing", Code.FailedPrecondition);
        if (video.latestEncode && video.latestEncode.state < EncodeState.SUCCEEDED)
          return { encode: video.latestEncode };
        const encode = create(EncodeSchema, {
          id: randomUUID(),
          videoId,
          state: EncodeState.QUEUED,
          attempt: 1,
          profile: profile || "h264-web",
          priority,
          ...(settings && { plan: { settings } }),
        });
        encode.createTime = timestampNow();
        encodes.set(encode.id, encode);
        video.latestEncode = encode;
        void runEncode(encode);
        return { encode };
      },
      getEncode({ id }, context) {
        requireUser(context);
        return { encode: found(encodes.get(id)) };
      },
      async *watchEncode({ id }, context) {
        requireUser(context);
        calls.push("WatchEncode");
        while (!context.signal.aborted) {
          const encode = found(encodes.get(id));
          yield { encode };
          if (encode.state >= EncodeState.SUCCEEDED) return;
          await sleep(20);
        }
      },
      async cancelEncode({ id }, context) {
        requireUser(context);
        calls.push("CancelEncode");
        await sleep(script.cancelMs);
        const encode = found(encodes.get(id));
        if (encode.state === EncodeState.SUCCEEDED || encode.state === EncodeState.FAILED) {
          throw new ConnectError("the encode has ended", Code.FailedPrecondition);
        }
        encode.state = EncodeState.CANCELLED;
        return { encode };
      },
      deleteEncode({ id }, context) {
        requireUser(context);
        encodes.delete(id);
        return {};
      },
    });
  };
  return { routes, videos, encodes };
}
