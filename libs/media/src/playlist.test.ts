import fc from "fast-check";
import HLS from "hls-parser";
import { parse as parseMpd } from "mpd-parser";
import { describe, expect, it } from "vitest";
import { averageBitrate, peakBitrate } from "./bitrate.ts";
import { dashManifest } from "./dash.ts";
import { declaredPeak, hlsMaster, hlsMedia, targetDuration } from "./hls.ts";
import { playlistFiles } from "./playlist.ts";
import type { Segment, StreamResult, TrackResult } from "./types.ts";

const video = (name: string, changes: Partial<TrackResult> = {}): TrackResult => ({
  name,
  codecs: "avc1.64001f",
  timescale: 24_000,
  width: 1280,
  height: 720,
  frameRate: { num: 24_000, den: 1001 },
  sampleRate: 0,
  channels: 0,
  language: "",
  frames: 218,
  initBytes: 700,
  segments: [
    { duration: 96_096, bytes: 400_000 },
    { duration: 96_096, bytes: 800_000 },
    { duration: 26_026, bytes: 9_000 },
  ],
  start: 0,
  ...changes,
});
const audio = (changes: Partial<TrackResult> = {}): TrackResult => ({
  name: "audio",
  codecs: "mp4a.40.2",
  timescale: 48_000,
  width: 0,
  height: 0,
  sampleRate: 48_000,
  channels: 2,
  language: "eng",
  frames: 427,
  initBytes: 600,
  segments: [
    { duration: 192_512, bytes: 64_000 },
    { duration: 191_488, bytes: 64_000 },
    { duration: 52_000, bytes: 17_000 },
  ],
  start: 0,
  ...changes,
});
const stream = (changes: Partial<StreamResult> = {}): StreamResult => ({
  video: [video("720p"), video("360p", { width: 640, height: 360, codecs: "avc1.64001e" })],
  audio: audio(),
  poster: "poster.jpg",
  ...changes,
});

const master = (result: StreamResult) => {
  const playlist = HLS.parse(hlsMaster(result));
  if (!playlist.isMasterPlaylist) throw new Error("no master playlist");
  return playlist as HLS.types.MasterPlaylist;
};
const mediaPlaylist = (track: TrackResult) => {
  const playlist = HLS.parse(hlsMedia(track));
  if (playlist.isMasterPlaylist) throw new Error("no media playlist");
  return playlist as HLS.types.MediaPlaylist;
};
const mpd = (result: StreamResult) =>
  parseMpd(dashManifest(result), { manifestUri: "https://host/videos/x/manifest.mpd" });

describe("HLS", () => {
  it("has a variant for each rendition, with measured figures", () => {
    const { variants, independentSegments, version } = master(stream());
    expect({ independentSegments, version }).toEqual({ independentSegments: true, version: 7 });
    // The loudest second segment (800 kB in 4.004 s) beside the audio's first (64 kB in 3.989 s).
    const peak = Math.ceil((800_000 * 8) / 4.004) + Math.ceil((64_000 * 8) / (191_488 / 48_000));
    expect(
      variants.map(({ uri, bandwidth, codecs, resolution, frameRate }) => ({
        uri,
        bandwidth,
        codecs,
        resolution,
        frameRate,
      })),
    ).toEqual([
      {
        uri: "720p/playlist.m3u8",
        bandwidth: peak,
        codecs: "avc1.64001f,mp4a.40.2",
        resolution: { width: 1280, height: 720 },
        frameRate: 23.976,
      },
      {
        uri: "360p/playlist.m3u8",
        bandwidth: peak,
        codecs: "avc1.64001e,mp4a.40.2",
        resolution: { width: 640, height: 360 },
        frameRate: 23.976,
      },
    ]);
    expect(variants[0]?.averageBandwidth).toBe(
      Math.ceil((1_209_000 * 8) / (218_218 / 24_000)) + Math.ceil((145_000 * 8) / (436_000 / 48_000)),
    );
    expect(variants[0]?.audio).toMatchObject([
      { uri: "audio/playlist.m3u8", groupId: "audio", language: "en", isDefault: true, channels: "2" },
    ]);
  });

  it("has no audio group where there is no audio", () => {
    const [variant] = master(stream({ audio: undefined })).variants;
    expect(variant).toMatchObject({ codecs: "avc1.64001f", audio: [] });
    expect(hlsMaster(stream({ audio: undefined }))).not.toContain("AUDIO");
  });

  it("lists every segment of a track", () => {
    const playlist = mediaPlaylist(video("720p"));
    expect(playlist).toMatchObject({ targetDuration: 4, playlistType: "VOD", endlist: true, version: 7 });
    expect(playlist.segments.map(({ uri, duration }) => ({ uri, duration }))).toEqual([
      { uri: "1.m4s", duration: 4.004 },
      { uri: "2.m4s", duration: 4.004 },
      { uri: "3.m4s", duration: 1.084417 },
    ]);
    expect(playlist.segments.map((segment) => segment.map?.uri)).toEqual(["init.mp4", "init.mp4", "init.mp4"]);
  });

  it.each(["und", "", 'e"n', "a b", "x".repeat(60)])("leaves out the language %j, which is none", (language) => {
    expect(hlsMaster(stream({ audio: audio({ language }) }))).not.toContain("LANGUAGE");
    expect(dashManifest(stream({ audio: audio({ language }) }))).not.toContain("lang=");
  });
});

describe("DASH", () => {
  it("describes the same segments", () => {
    const manifest = mpd(stream());
    expect(manifest.duration).toBe(9.093);
    expect(
      manifest.playlists.map(({ attributes: { NAME, CODECS, RESOLUTION } }) => ({ NAME, CODECS, RESOLUTION })),
    ).toEqual([
      { NAME: "720p", CODECS: "avc1.64001f", RESOLUTION: { width: 1280, height: 720 } },
      { NAME: "360p", CODECS: "avc1.64001e", RESOLUTION: { width: 640, height: 360 } },
    ]);
    expect(manifest.playlists[1]?.segments.map(({ uri, duration, map }) => ({ uri, duration, map: map.uri }))).toEqual([
      { uri: "360p/1.m4s", duration: 4.004, map: "360p/init.mp4" },
      { uri: "360p/2.m4s", duration: 4.004, map: "360p/init.mp4" },
      { uri: "360p/3.m4s", duration: 26_026 / 24_000, map: "360p/init.mp4" },
    ]);
    const tracks = Object.values(Object.values(manifest.mediaGroups.AUDIO)[0] ?? {});
    expect(tracks[0]).toMatchObject({ language: "en" });
    expect(tracks[0]?.playlists[0]?.segments.map(({ uri }) => uri)).toEqual([
      "audio/1.m4s",
      "audio/2.m4s",
      "audio/3.m4s",
    ]);
  });

  it("has no audio set where there is no audio", () => {
    expect(mpd(stream({ audio: undefined })).mediaGroups.AUDIO).toEqual({});
  });
});

describe("bit rates", () => {
  const track = (...segments: [seconds: number, bytes: number][]) =>
    video("x", {
      timescale: 1000,
      segments: segments.map(([seconds, bytes]) => ({ duration: seconds * 1000, bytes })),
    });

  it.each([
    ["the peak is the busiest segment", track([4, 1000], [4, 3000], [4, 2000]), 6000],
    ["a last segment shorter than half a target counts with its neighbour", track([4, 1000], [1, 1000]), 3200],
    ["a run longer than one and a half targets doesn't count", track([4, 1000], [4, 1000], [2, 1000]), 4000],
    ["a short track counts as a whole", track([1, 1000]), 8000],
    ["an empty track has none", track(), 0],
  ])("%s", (_, given, expected) => {
    expect(peakBitrate(given, 4)).toBe(expected);
  });
});

describe("any stream", () => {
  const segments = (maxTicks: number): fc.Arbitrary<Segment[]> =>
    fc.array(
      fc.record({ duration: fc.integer({ min: 1, max: maxTicks }), bytes: fc.integer({ min: 1, max: 10_000_000 }) }),
      { minLength: 1, maxLength: 40 },
    );
  const streams: fc.Arbitrary<StreamResult> = fc
    .record({
      timescale: fc.integer({ min: 1000, max: 1_000_000 }),
      video: segments(8_000_000),
      audio: fc.option(segments(400_000), { nil: undefined }),
      renditions: fc.integer({ min: 1, max: 5 }),
    })
    .map((given) => ({
      video: Array.from({ length: given.renditions }, (_, index) =>
        video(`${index}p`, { timescale: given.timescale, segments: given.video }),
      ),
      audio: given.audio && audio({ segments: given.audio }),
      poster: "",
    }));

  it("gives HLS playlists that keep the rules, and a DASH manifest with the same segments", () => {
    fc.assert(
      fc.property(streams, (result) => {
        const { variants } = master(result);
        expect(variants).toHaveLength(result.video.length);
        const dash = mpd(result);
        for (const [index, track] of result.video.entries()) {
          const playlist = mediaPlaylist(track);
          expect(playlist.segments).toHaveLength(track.segments.length);
          for (const segment of playlist.segments)
            expect(Math.round(segment.duration)).toBeLessThanOrEqual(playlist.targetDuration);
          expect(playlist.targetDuration).toBe(targetDuration(track));
          expect(variants[index]?.bandwidth).toBeGreaterThanOrEqual(variants[index]?.averageBandwidth ?? Number.NaN);
          expect(averageBitrate(track)).toBeLessThanOrEqual(peakBitrate(track, playlist.targetDuration));
          expect(dash.playlists[index]?.segments.map((segment) => segment.uri)).toEqual(
            playlist.segments.map((segment) => `${track.name}/${segment.uri}`),
          );
        }
        for (const file of playlistFiles(result)) expect(file.text.endsWith("\n")).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});

it("names every file of a stream once, those that name others last", () => {
  expect(playlistFiles(stream()).map((file) => file.path)).toEqual([
    "720p/playlist.m3u8",
    "360p/playlist.m3u8",
    "audio/playlist.m3u8",
    "manifest.mpd",
    "master.m3u8",
  ]);
});

describe("a base", () => {
  it("moves every path of master and manifest below it, and changes nothing else", () => {
    const moved = HLS.parse(hlsMaster(stream(), { base: "v2/" })) as HLS.types.MasterPlaylist;
    const here = master(stream());
    expect(moved.variants.map(({ uri }) => uri)).toEqual(here.variants.map(({ uri }) => `v2/${uri}`));
    expect(moved.variants[0]?.audio[0]?.uri).toBe("v2/audio/playlist.m3u8");
    expect(hlsMaster(stream(), { base: "v2/" }).replaceAll("v2/", "")).toBe(hlsMaster(stream()));
    const { playlists } = parseMpd(dashManifest(stream(), { base: "v2/" }), {
      manifestUri: "https://host/videos/x/manifest.mpd",
    });
    expect(playlists[0]?.segments[0]?.resolvedUri).toBe("https://host/videos/x/v2/720p/1.m4s");
  });
});

it("declares a peak that holds by the playlist's target duration and by its longest segment", () => {
  const [video] = stream().video;
  if (!video) throw new Error("no video");
  const segments = [2, 2, 1].map((seconds, index) => ({
    duration: seconds * video.timescale,
    bytes: index === 2 ? 9_000 : 1_000,
  }));
  const track = { ...video, segments };
  expect(targetDuration(track, { targetSeconds: 2.5 })).toBe(3);
  expect(declaredPeak(track, { targetSeconds: 2.5 })).toBe(peakBitrate(track, 2)); // the last segment alone
  expect(peakBitrate(track, 3)).toBeLessThan(peakBitrate(track, 2));
});
