import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type InspectedTrack, inspectStream } from "@kinora/media/testing";
import HLS from "hls-parser";
import { parse as parseDash } from "mpd-parser";
import { expect } from "vitest";

/** What is known of a source before anything of Kinora's has looked at it. */
export type KnownSource = { frames: number; seconds: number; audioSeconds: number | undefined; shortSide: number };

/**
 * Checks a stream that `kinora encode --out` brought home, with parsers that we didn't write: every variant of HLS and DASH is there and names the
 * same segments, decodes to the source's frames and length, and the audio keeps its place.
 */
export async function checkStream(folder: string, source: KnownSource): Promise<void> {
  const tracks = await inspectStream(folder);
  const video = tracks.filter((track) => track.kind === "video");
  const audio = tracks.filter((track) => track.kind === "audio");
  for (const track of tracks) expect(track.errors, track.name).toEqual([]);

  const frameSeconds = source.seconds / source.frames;
  for (const track of video) {
    expect(track.frames, track.name).toBe(source.frames);
    expect(Math.abs(track.durationSeconds - source.seconds), track.name).toBeLessThanOrEqual(frameSeconds + 0.001);
    expect(track.frameTimes, `${track.name} shows the same moments`).toEqual(video[0]?.frameTimes);
    expect(Math.min(track.width, track.height), track.name).toBeLessThanOrEqual(source.shortSide);
  }
  expect(audio).toHaveLength(source.audioSeconds === undefined ? 0 : 1);
  for (const track of audio) checkSync(track, video[0], source);

  const variants = await checkHls(folder);
  const representations = await checkDash(folder);
  const heights = video.map((track) => track.height).sort(descending);
  expect(variants.map((variant) => variant.height).sort(descending)).toEqual(heights);
  expect(representations.map((one) => one.height).sort(descending)).toEqual(heights);
  expect(representations.map((one) => one.segments).sort()).toEqual(variants.map((one) => one.segments).sort());
}

function checkSync(audio: InspectedTrack, video: InspectedTrack | undefined, source: KnownSource): void {
  if (video === undefined || source.audioSeconds === undefined) throw new Error("There is nothing to compare.");
  expect(Math.abs(audio.firstSeconds - video.firstSeconds), "audio starts with the picture").toBeLessThanOrEqual(0.05);
  expect(Math.abs(audio.durationSeconds - source.audioSeconds), "audio length").toBeLessThanOrEqual(0.05);
}

/** Not the playlists of key frames alone: those are for seeking. */
const isWhole = (variant: HLS.types.Variant) => !variant.isIFrameOnly;

type Variant = { height: number; segments: string };

async function checkHls(folder: string): Promise<Variant[]> {
  const master = HLS.parse(await readFile(join(folder, "master.m3u8"), "utf8"));
  if (!master.isMasterPlaylist) throw new Error("master.m3u8 is not a multivariant playlist.");
  expect(master.independentSegments).toBe(true);
  return Promise.all(
    master.variants.filter(isWhole).map(async (variant) => {
      expect(variant.codecs).toMatch(/^avc1\.[0-9a-f]{6}/);
      expect(variant.bandwidth).toBeGreaterThan(0);
      expect(variant.averageBandwidth).toBeLessThanOrEqual(variant.bandwidth);
      const media = HLS.parse(await readFile(join(folder, variant.uri), "utf8"));
      if (media.isMasterPlaylist) throw new Error(`${variant.uri} is not a media playlist.`);
      expect(media.endlist).toBe(true);
      expect(media.playlistType).toBe("VOD");
      const base = variant.uri.slice(0, variant.uri.lastIndexOf("/") + 1);
      for (const segment of media.segments) expect(segment.duration).toBeLessThanOrEqual(media.targetDuration + 0.5);
      return {
        height: variant.resolution?.height ?? 0,
        segments: media.segments.map((segment) => base + segment.uri).join(" "),
      };
    }),
  );
}

async function checkDash(folder: string): Promise<Variant[]> {
  const manifest = parseDash(await readFile(join(folder, "manifest.mpd"), "utf8"), { manifestUri: "http://host/" });
  return manifest.playlists.map((playlist) => ({
    height: playlist.attributes.RESOLUTION?.height ?? 0,
    segments: playlist.segments.map((segment) => segment.resolvedUri.replace("http://host/", "")).join(" "),
  }));
}

const descending = (a: number, b: number) => b - a;
