import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { EncodePlan } from "@kinora/media";
import { versionOf } from "../harness/machine.ts";

/** The version of the `ffmpeg` command, or undefined where there is none. */
export function ffmpegVersion(): string | undefined {
  try {
    return versionOf("ffmpeg", "-version")?.replace(/ Copyright.*/, "");
  } catch {
    return undefined;
  }
}

/** One command that makes a plan's renditions with the same settings, as HLS with fragmented MP4 below `folder`: `{rendition}.m3u8`. */
export function ffmpegArguments(source: string, plan: EncodePlan, folder: string): string[] {
  const renditions = plan.video?.renditions ?? [];
  const split = `[0:v]split=${renditions.length}${renditions.map((_, index) => `[in${index}]`).join("")}`;
  const scale = renditions.map(
    ({ width, height }, index) => `[in${index}]scale=w=${width}:h=${height}:flags=bicubic[v${index}]`,
  );
  const hls = (name: string) => [
    ...[
      "-f",
      "hls",
      "-hls_time",
      String(plan.segmentSeconds),
      "-hls_playlist_type",
      "event",
      "-hls_segment_type",
      "fmp4",
    ],
    ...["-hls_fmp4_init_filename", `${name}-init.mp4`, "-hls_segment_filename", join(folder, `${name}-%d.m4s`)],
    join(folder, `${name}.m3u8`),
  ];
  return [
    ...["-v", "error", "-nostdin", "-y", "-i", source, "-filter_complex", [split, ...scale].join(";")],
    ...renditions.flatMap(({ name, preset, crf, maxBitrate, bufferBits, profile, level }, index) => [
      ...["-map", `[v${index}]`, "-c:v", "libx264", "-preset", preset, "-crf", String(crf), "-profile:v", profile],
      ...[
        "-maxrate",
        String(maxBitrate),
        "-bufsize",
        String(bufferBits),
        "-level",
        String(level / 10),
        "-pix_fmt",
        "yuv420p",
      ],
      ...["-forced-idr", "1", "-force_key_frames", `expr:gte(t,n_forced*${plan.segmentSeconds})`],
      ...["-x264-params", "keyint=infinite:scenecut=0:open-gop=0", "-fps_mode", "passthrough"],
      ...hls(name),
    ]),
    ...(plan.audio
      ? [
          "-map",
          `0:${plan.audio.streamIndex}`,
          "-c:a",
          "aac",
          "-b:a",
          String(plan.audio.bitrate),
          "-ac",
          String(plan.audio.channels),
          ...hls("audio"),
        ]
      : []),
  ];
}

/** The arguments for a part of the source, with one thread for each encoder and decoder. */
export function singleThreaded(args: string[], part: { start: number; end: number }): string[] {
  const input = args.indexOf("-i");
  const seek = ["-threads", "1", "-ss", String(part.start), "-t", String(part.end - part.start)];
  const threads = args.slice(input).flatMap((arg) => (arg === "-c:v" ? ["-threads", "1", arg] : [arg]));
  return [...args.slice(0, input), ...seek, ...threads];
}

/** Starts the command, on one core if it is named; resolves when it has ended well. */
export function startFfmpeg(
  args: string[],
  signal: AbortSignal,
  core?: number,
): { child: ChildProcess; done: Promise<void> } {
  const [command = "ffmpeg", ...all] = [
    ...(core === undefined ? [] : ["taskset", "-c", String(core)]),
    "ffmpeg",
    ...args,
  ];
  const child = spawn(command, all, { stdio: ["ignore", "ignore", "inherit"], signal, killSignal: "SIGKILL" });
  const done = once(child, "close").then(([code]) => {
    if (code !== 0) throw new Error(`ffmpeg ended with ${code}`);
  });
  return { child, done };
}
