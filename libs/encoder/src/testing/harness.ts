import { randomBytes, randomUUID } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { type Client, createClient, type Transport } from "@connectrpc/connect";
import type { Database } from "@kinora/database";
import {
  AccountService,
  type CompleteTaskRequestSchema,
  EncoderService,
  type EncodeState,
  type Task,
  TaskKind,
  WorkerService,
} from "@kinora/proto-encoder";
import {
  type Authenticate,
  createClientTransport,
  createInMemoryTransport,
  createServer,
  DomainError,
  type LimiterOptions,
  type Logger,
} from "@kinora/rpc";
import type { S3Settings } from "@kinora/storage";
import { waitUntil } from "@kinora/testing";
import { createEncoderService } from "../encoder-service.ts";
import type { PlaybackFrom } from "../playback/segment-source.ts";
import type { FakeQuota } from "./fake-quota.ts";
import { frameTable, makeAudio, makeChunk, media } from "./media.ts";

type Result = NonNullable<MessageInitShape<typeof CompleteTaskRequestSchema>["result"]>;

/** A person with their own client. */
export type Person = { id: string; token: string; encoder: Client<typeof EncoderService> };

/** The encoder service on a socket, with the user service beside it in memory. */
export type Harness = {
  url: string;
  person(): Person;
  /** The client of a person who was there before a restart. */
  again(person: Person): Person;
  worker: Client<typeof WorkerService>;
  account: Client<typeof AccountService>;
  /** What was logged. */
  lines: string[];
  drain(): void;
  close(): Promise<void>;
};

const all = { scopes: "all", audiences: "all" } as const;

/** Tokens of the tests: `user <id>`, `worker`, `service`. */
export const authenticate: Authenticate = async (authorization) => {
  if (authorization === undefined) return { kind: "anonymous" };
  const token = authorization.replace(/^Bearer /, "");
  if (token === "worker" || token === "service") return { kind: token, id: "built-in", ...all };
  if (!token.startsWith("user-")) throw new DomainError("unauthenticated", "this token isn't good");
  return { kind: "user", userId: token.slice("user-".length), role: "member", sessionId: "s", ...all };
};

/** Starts the service on a database and folder, which may hold what an earlier one left. */
export async function startEncoder(options: {
  database: Database;
  dataDir: string;
  quota: FakeQuota;
  s3?: S3Settings | undefined;
  playbackFrom?: PlaybackFrom;
  sealingSecret?: string;
  /** A task that failed waits for another worker; most tests have one that does everything. */
  triesElsewhere?: boolean;
  gpuPatienceSeconds?: number;
  /** Looks for tasks only when told of them, as far as a test lasts. */
  neverPolls?: boolean;
  sourceUrlSeconds?: number;
  shedding?: Partial<LimiterOptions>;
}): Promise<Harness> {
  const lines: string[] = [];
  const logger = recordingLogger(lines);
  let url = "";
  const service = await createEncoderService({
    database: options.database,
    dataDir: options.dataDir,
    s3: options.s3,
    playbackFrom: options.playbackFrom,
    webhookTargets: "any",
    sealingSecret: options.sealingSecret,
    logger,
    userTransport: createInMemoryTransport({ routes: options.quota.routes, authenticate, logger, token: "service" }),
    authenticate,
    perPersonCap: 5,
    sourceUrlSeconds: options.sourceUrlSeconds,
    triesElsewhere: options.triesElsewhere ?? false,
    gpuPatienceSeconds: options.gpuPatienceSeconds,
    taskPollMs: options.neverPolls ? 3_600_000 : undefined,
    publicUrl: () => url,
    internalUrl: () => url,
  });
  const { routes, http, longPolls, steadfast } = service;
  const { shedding = {} } = options;
  const server = createServer({ routes, http, longPolls, steadfast, authenticate, logger, shedding });
  ({ url } = await server.listen({ port: 0, host: "127.0.0.1" }));
  const transports: (Transport & { close(): void })[] = [];
  const connect = (token: string) => {
    const transport = createClientTransport({ baseUrl: url, token, timeoutMs: 40_000 });
    transports.push(transport);
    return transport;
  };
  const person = (id: string) => {
    const token = `user-${id}`;
    return { id, token, encoder: createClient(EncoderService, connect(token)) };
  };
  return {
    url,
    person: () => person(randomUUID()),
    again: ({ id }) => person(id),
    worker: createClient(WorkerService, connect("worker")),
    account: createClient(AccountService, connect("service")),
    lines,
    drain: service.drain,
    async close() {
      service.drain();
      for (const transport of transports) transport.close();
      await server.close();
      await service.close();
    },
  };
}

/** Announces a video and sends its bytes in one piece. */
export async function uploadVideo(
  { encoder, token }: Person,
  body: string | Uint8Array = "source bytes",
): Promise<string> {
  const bytes = Buffer.from(body);
  const { video, uploadUrl } = await encoder.createVideo({ name: "video.mp4", sizeBytes: BigInt(bytes.length) });
  if (bytes.length > 0) {
    const answer = await patchUpload(uploadUrl, token, 0, bytes);
    if (answer.status !== 204) throw new Error(`The upload answered ${answer.status}: ${await answer.text()}`);
  }
  return must(video).id;
}

/** Sends bytes of an upload. */
export function patchUpload(
  url: string,
  token: string,
  offset: number,
  body: Buffer | ReadableStream,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(url, {
    method: "PATCH",
    body,
    duplex: "half",
    headers: {
      authorization: `Bearer ${token}`,
      "tus-resumable": "1.0.0",
      "content-type": "application/offset+octet-stream",
      "upload-offset": String(offset),
      ...headers,
    },
  } as RequestInit);
}

/** Uploads a video and starts to encode it, in a single chunk unless its segments are to be shorter. */
export async function startOne(person: Person, segmentSeconds = 10): Promise<{ videoId: string; encodeId: string }> {
  const videoId = await uploadVideo(person);
  const { encode } = await person.encoder.startEncode({ videoId, settings: { segmentSeconds } });
  return { videoId, encodeId: must(encode).id };
}

/** Every kind of work, as a worker states it. */
export const kinds = [
  TaskKind.PROBE,
  TaskKind.ENCODE,
  TaskKind.ANALYSE,
  TaskKind.ENCODE_CHUNK,
  TaskKind.AUDIO,
  TaskKind.IMAGES,
  TaskKind.TRIAL,
  TaskKind.VERIFY,
];

/** Leases the next task; throws if none comes within 15 s. */
export async function lease(worker: Harness["worker"], workerId = "w1", seconds = 15): Promise<Task> {
  const { task } = await worker.leaseTask({
    workerId,
    encoders: ["cpu"],
    kinds,
    wait: { seconds: BigInt(seconds), nanos: 0 },
  });
  return must(task);
}

/** Leases and completes the probe. */
export async function probe(worker: Harness["worker"], found = media): Promise<Task> {
  const task = await lease(worker);
  if (task.work.case !== "probe") throw new Error(`Leased a task to ${task.work.case}.`);
  await worker.completeTask({ lease: must(task.lease), result: { case: "probe", value: found } });
  return task;
}

/** Does whatever comes before a chunk, and leases that. */
export async function leaseEncode(worker: Harness["worker"], workerId = "w1"): Promise<Task> {
  for (;;) {
    const task = await lease(worker, workerId);
    if (task.work.case === "encodeChunk") return task;
    await work(worker, task);
  }
}

/** Makes what a task asks for and uploads it; the answer is the result to complete with. */
export async function makeAndUpload(worker: Harness["worker"], task: Task) {
  const made = make(task);
  await upload(worker, task, made.files);
  return made;
}

function make(task: Task): { result: Result; files: Map<string, Uint8Array> } {
  switch (task.work.case) {
    case "encodeChunk": {
      const { chunk, video } = task.work.value;
      const { result, files } = makeChunk(must(chunk), must(video).renditions);
      return { result: { case: "encodeChunk", value: result }, files };
    }
    case "audio": {
      const { result, files } = makeAudio(must(task.work.value.audio));
      return { result: { case: "audio", value: result }, files };
    }
    case "images":
      return {
        result: { case: "images", value: { poster: "poster.jpg" } },
        files: new Map([["poster.jpg", randomBytes(300)]]),
      };
    case "probe":
      return { result: { case: "probe", value: media }, files: new Map() };
    case "analyse":
      return { result: { case: "analyse", value: frameTable }, files: new Map() };
    case "verify":
      return { result: { case: "verify", value: { passed: true, checks: [] } }, files: new Map() };
    default:
      throw new Error(`Nobody here can ${task.work.case}.`);
  }
}

async function upload(worker: Harness["worker"], task: Task, files: Map<string, Uint8Array>): Promise<void> {
  if (files.size === 0) return;
  const { urls } = await worker.createUploads({ lease: must(task.lease), paths: [...files.keys()] });
  await Promise.all(
    [...files.values()].map(async (body, index) => {
      const answer = await fetch(must(urls[index]), { method: "PUT", body: Buffer.from(body) });
      if (!answer.ok) throw new Error(`PUT answered ${answer.status}: ${await answer.text()}`);
    }),
  );
}

/** Does a whole task of any kind. */
export async function work(worker: Harness["worker"], task: Task): Promise<Map<string, Uint8Array>> {
  const { result, files } = await makeAndUpload(worker, task);
  await worker.completeTask({ lease: must(task.lease), result });
  return files;
}

/** Does every task that comes until a stream has been checked; the answer has the files of all. */
export async function encodeOne(worker: Harness["worker"]): Promise<{ files: Map<string, Uint8Array> }> {
  const files = new Map<string, Uint8Array>();
  for (;;) {
    const task = await lease(worker);
    for (const [path, body] of await work(worker, task)) files.set(path, body);
    if (task.work.case === "verify") return { files };
  }
}

/** Waits until an encode is in a state. */
export async function waitForState(person: Person, encodeId: string, state: EncodeState) {
  return await waitUntil(
    `encode ${encodeId} is in state ${state}`,
    async () => {
      const encode = must((await person.encoder.getEncode({ id: encodeId })).encode);
      return encode.state === state && encode;
    },
    20_000,
  );
}

/** For `expect.poll`: against hanging, not for timing. */
export const soon = { timeout: 20_000 };

/** The value, which the test knows to be there. */
export function must<T>(value: T | undefined | null): T {
  if (value === undefined || value === null) throw new Error("There is nothing.");
  return value;
}

/** A logger that keeps its lines. */
export function recordingLogger(lines: string[]): Logger {
  const log = (...args: unknown[]) => {
    lines.push(args.map((arg) => (typeof arg === "string" ? arg : inspect(arg))).join(" "));
  };
  const logger: Logger = { trace() {}, debug() {}, info: log, warn: log, error: log, fatal: log, child: () => logger };
  return logger;
}

function inspect(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => (inner instanceof Error ? String(inner.stack) : inner));
}
