import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import {
  type ChunkResultSchema,
  type EncodeChunkTask,
  EncoderService,
  type EncodeSettingsSchema,
  type FrameTableSchema,
  type MediaInfoSchema,
  type Task,
  TaskKind,
  WorkerService,
} from "@kinora/proto-encoder";
import { createClientTransport } from "@kinora/rpc";

const framesPerSecond = 24;
const segmentSeconds = 4;

/** A silent video of so many seconds, as a probe and an analysis would find it. */
function simulatedVideo(seconds: number): {
  media: MessageInitShape<typeof MediaInfoSchema>;
  table: MessageInitShape<typeof FrameTableSchema>;
} {
  const frameCount = seconds * framesPerSecond;
  const timeBase = { num: 1, den: framesPerSecond };
  return {
    media: {
      format: "mov,mp4,m4a,3gp,3g2,mj2",
      durationSeconds: seconds,
      video: {
        codec: "h264",
        width: 426,
        height: 240,
        frameRate: { num: framesPerSecond, den: 1 },
        frameCount,
        frameCountExact: true,
        pixelFormat: "yuv420p",
        timeBase,
        startPts: 0n,
        seekable: true,
      },
    },
    table: {
      timeBase,
      frameCount,
      startPts: 0n,
      endPts: BigInt(frameCount),
      runFrames: [frameCount],
      runDeltas: [1n],
      keyframePts: [0n],
    },
  };
}

/** A file of a chunk. */
type ChunkFile = { path: string; body: Buffer };

/** What a worker would have made of a chunk: a kilobyte for each segment. */
export function chunkResult({ chunk, video }: EncodeChunkTask): {
  result: MessageInitShape<typeof ChunkResultSchema>;
  files: ChunkFile[];
} {
  if (chunk === undefined || video === undefined) throw new Error("The task names no chunk.");
  const starts = chunk.segmentPts;
  const end = chunk.endPts ?? chunk.startPts + BigInt(chunk.frameCount);
  const durations = starts.map((start, index) => Number((starts[index + 1] ?? end) - start));
  const frames = durations.reduce((sum, duration) => sum + duration, 0);
  const files: ChunkFile[] = [];
  const renditions = video.renditions.map(({ name, width, height }) => {
    const init = createHash("sha512").update(name).digest();
    files.push({ path: `${name}/init.mp4`, body: init });
    const segments = durations.map((duration, index) => {
      files.push({ path: `${name}/${chunk.firstSegment + index}.m4s`, body: Buffer.alloc(1024, index) });
      return { duration, bytes: 1024, frames: duration, keyFrameBytes: 256 };
    });
    return {
      name,
      width,
      height,
      codecs: "avc1.64001e",
      timescale: framesPerSecond,
      frameRate: { num: framesPerSecond, den: 1 },
      frames,
      initBytes: init.length,
      initSha256: createHash("sha256").update(init).digest(),
      segments,
    };
  });
  return {
    files,
    result: {
      index: chunk.index,
      renditions,
      frames,
      firstPts: chunk.startPts,
      lastPts: end - 1n,
      start: chunk.startPts,
      end,
      seconds: 10,
    },
  };
}

/** Puts files where their addresses lead, past the server. */
export async function storeFiles(objects: string, urls: readonly string[], files: readonly ChunkFile[]): Promise<void> {
  await Promise.all(
    files.map(async ({ body }, index) => {
      const key = decodeURIComponent(new URL(urls[index] ?? "").pathname.replace(/^\/objects\//, ""));
      const file = join(objects, key);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, body);
    }),
  );
}

/** Sends videos of several people, and does everything before their chunks; resolves once so many chunks wait, with their number. */
export async function prepareEncodes(options: {
  url: string;
  tasks: number;
  workers: number;
  people: readonly string[];
}): Promise<number> {
  const { url, tasks, people } = options;
  const transport = createClientTransport({ baseUrl: url, token: "worker", timeoutMs: 60_000 });
  const worker = createClient(WorkerService, transport);
  // The plan cuts chunks for the fleet that is there.
  await worker.leaseTask({ workerId: "fleet", encoders: ["cpu"], kinds: [TaskKind.ENCODE], slots: options.workers });
  await sleep(3_000);
  // A chunk has two segments at most here: as many encodes as it takes, of at most a day.
  const seconds = Math.min(20 * 3600, Math.ceil(tasks / people.length) * 2 * segmentSeconds + 60);
  const { media, table } = simulatedVideo(seconds);
  for (const person of people) await uploadAndEncode(url, `user-${person}`, Buffer.from("x"), { segmentSeconds });
  const light = [TaskKind.PROBE, TaskKind.ANALYSE, TaskKind.AUDIO, TaskKind.IMAGES, TaskKind.VERIFY];
  const ask = { workerId: "light", encoders: [], kinds: light, wait: { seconds: 20n, nanos: 0 } };
  for (let analysed = 0; analysed < people.length; ) {
    const { task } = await worker.leaseTask(ask);
    if (task === undefined) throw new Error("The encoder asks for no probes.");
    analysed += await doLight(task);
  }
  transport.close();
  let chunks = 0;
  for (const person of people) chunks += await countChunks(url, person);
  return chunks;

  async function doLight(task: Task): Promise<number> {
    const { lease } = task;
    if (lease === undefined) return 0;
    if (task.work.case === "probe") await worker.completeTask({ lease, result: { case: "probe", value: media } });
    else if (task.work.case === "images") await worker.completeTask({ lease, result: { case: "images", value: {} } });
    else if (task.work.case === "analyse") {
      await worker.completeTask({ lease, result: { case: "analyse", value: table } });
      return 1;
    }
    return 0;
  }
}

/** Sends a video and starts its encode; the answer is its id. */
export async function uploadAndEncode(
  url: string,
  token: string,
  body: Buffer,
  settings: MessageInitShape<typeof EncodeSettingsSchema>,
): Promise<string> {
  const transport = createClientTransport({ baseUrl: url, token, timeoutMs: 60_000 });
  const encoder = createClient(EncoderService, transport);
  const { video, uploadUrl } = await encoder.createVideo({ name: "bench", sizeBytes: BigInt(body.length) });
  const answer = await fetch(uploadUrl, {
    method: "PATCH",
    body: new Uint8Array(body),
    headers: {
      authorization: `Bearer ${token}`,
      "tus-resumable": "1.0.0",
      "content-type": "application/offset+octet-stream",
      "upload-offset": "0",
    },
  });
  if (!answer.ok || video === undefined) throw new Error(`The upload answered ${answer.status}.`);
  const { encode } = await encoder.startEncode({ videoId: video.id, settings });
  transport.close();
  if (encode === undefined) throw new Error("No encode was started.");
  return encode.id;
}

async function countChunks(url: string, person: string): Promise<number> {
  const transport = createClientTransport({ baseUrl: url, token: `user-${person}`, timeoutMs: 60_000 });
  const { encodes } = await createClient(EncoderService, transport).listEncodes({});
  transport.close();
  return encodes.reduce((sum, encode) => sum + (encode.progress?.chunks ?? 0), 0);
}
