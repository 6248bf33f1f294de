/** An encode as workers do it, task by task, without an encoder service. */
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { temporaryFolder } from "@kinora/testing";
import { completePlan } from "../plan/complete-plan.ts";
import { planEncode } from "../plan/plan-encode.ts";
import { playlistFiles } from "../playlist.ts";
import { type MediaTask, runTask, TaskError, type TaskOptions } from "../task.ts";
import type { ChunkResult, EncodePlan, StreamResult, TrackResult } from "../types.ts";

type Limits = Pick<TaskOptions, "signal" | "timeLimitMs" | "noProgressMs" | "memoryLimitBytes" | "outputLimitBytes">;

/** How it ended: what the person who sent the file reads, or the stream with the checks that it failed. */
export type End = { refusal?: string; plan?: EncodePlan; result?: StreamResult; failedChecks?: string[] };

/** Probe, plan of the head, analysis, whole plan, every chunk and track of sound, pictures, verification. A fault of the input is the answer; any other is thrown. */
export async function wholeWay(sourceUrl: string, { signal, ...limits }: Limits): Promise<End> {
  await using streams = await streamFolder();
  const { path: outDir, url: streamUrl } = streams;
  const run = <Task extends MediaTask>(task: Task) => runTask({ ...limits, signal, task });
  try {
    const media = await run({ kind: "probe", sourceUrl });
    const begun = planEncode(media, { preset: "ultrafast", segmentSeconds: 2 });
    if (!begun.plan) return { refusal: begun.refusal };
    const table = await run({ kind: "analyse", sourceUrl, media, plan: begun.plan });
    const { plan, refusal } = completePlan(begun.plan, table, { seekable: media.video?.seekable ?? false });
    if (!plan?.video) return { refusal: refusal ?? "" };
    const { segmentSeconds, video: pictures } = plan;
    const chunks: ChunkResult[] = [];
    for (const chunk of plan.chunks ?? [])
      chunks.push(await run({ kind: "encode-chunk", sourceUrl, chunk, video: pictures, qualityStride: 8, outDir }));
    const audioTracks: TrackResult[] = [];
    for (const track of plan.audioTracks ?? []) {
      const task = {
        kind: "audio",
        sourceUrl,
        audio: track,
        segmentSeconds,
        startSeconds: pictures.startSeconds,
        outDir,
      } as const;
      audioTracks.push(await run(task));
    }
    const durationSeconds = Math.max(...joined(chunks).map(secondsOf));
    const { posterSeconds } = plan;
    const images = {
      video: { ...pictures, renditions: pictures.renditions.slice(0, 1) },
      posterSeconds,
      durationSeconds,
      tileSide: 160,
      maxTiles: 20,
    };
    await run({ kind: "images", sourceUrl, ...images, outDir });
    const result: StreamResult = { video: joined(chunks), audio: audioTracks[0], audioTracks, poster: "" };
    for (const { path: name, text } of playlistFiles(result)) await writeFile(join(outDir, name), text);
    const report = await run({ kind: "verify", streamUrl, plan, result });
    const failedChecks = report.checks
      .filter(({ outcome }) => outcome === "failed")
      .map(({ name, detail }) => `${name}: ${detail}`);
    return { plan, result, failedChecks };
  } catch (error) {
    if (error instanceof TaskError && error.kind === "input") return { refusal: error.message };
    throw error;
  }
}

/** The chunks' parts of each rendition, one behind the other. */
function joined(chunks: ChunkResult[]): TrackResult[] {
  return (chunks[0]?.renditions ?? []).map((first, index) => ({
    ...first,
    segments: chunks.flatMap((chunk) => chunk.renditions[index]?.segments ?? []),
    frames: chunks.reduce((sum, chunk) => sum + chunk.frames, 0),
  }));
}

const secondsOf = ({ segments, timescale }: TrackResult) =>
  segments.reduce((sum, { duration }) => sum + duration, 0) / timescale;

/** A folder for a stream, which HTTP serves with ranges from a file's beginning, all that a verification asks for. */
async function streamFolder() {
  const folder = await temporaryFolder();
  const server = createServer(async (request, response) => {
    const name = new URL(request.url ?? "", "http://a").pathname;
    const bytes = await readFile(join(folder.path, name)).catch(() => undefined);
    const range = /^bytes=0-(\d+)$/.exec(request.headers.range ?? "");
    const end = Math.min(bytes?.length ?? 0, Number(range?.[1] ?? bytes?.length) + 1);
    if (!bytes) response.writeHead(404).end();
    else {
      response.writeHead(range ? 206 : 200, range ? { "content-range": `bytes 0-${end - 1}/${bytes.length}` } : {});
      response.end(bytes.subarray(0, end));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    path: folder.path,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      });
      await folder.remove();
    },
  };
}
