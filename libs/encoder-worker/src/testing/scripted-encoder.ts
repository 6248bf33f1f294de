import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ConnectRouter } from "@connectrpc/connect";
import {
  type AddSegmentsRequest,
  type CompleteTaskRequest,
  Directive,
  type FailTaskRequest,
  type HeartbeatRequest,
  type LeaseTaskRequest,
  TaskKind,
  TaskSchema,
  WorkerService,
} from "@kinora/proto-encoder";
import {
  createServer,
  DomainError,
  type HttpRequest,
  type HttpResponse,
  type Logger,
  type RpcServer,
} from "@kinora/rpc";

/** What a test may change while the encoder runs. */
export type Script = {
  /** The answer to heartbeats. */
  directive: Directive;
  /** Every call with a lease is answered with `aborted`. */
  leaseLost: boolean;
  /** Every call of the worker is answered with `unavailable`. */
  unavailable: boolean;
  /** Answers to the next uploads: an HTTP status, or "cut" to close the connection half way. Then they are taken. */
  uploadFaults: (number | "cut")[];
  /** Every upload takes this long. */
  uploadMs: number;
  /** The addresses that tasks come with can't be read any more; heartbeats bring others. */
  sourcesMoved: boolean;
};

/** An encoder with the contract of a real one, held in memory, with faults on request. */
export type ScriptedEncoder = {
  url: string;
  script: Script;
  /** Puts a task into the queue; returns its encode's identifier. */
  offer(work: MessageInitShape<typeof TaskSchema>["work"], source: string): Promise<string>;
  heartbeats: HeartbeatRequest[];
  completed: CompleteTaskRequest[];
  failed: FailTaskRequest[];
  /** What was told of segments before the end. */
  grown: AddSegmentsRequest[];
  /** The requests that got a task. */
  offers: LeaseTaskRequest[];
  /** Files that have arrived, by path. */
  files: Map<string, Buffer>;
  /** The most uploads that were under way at the same time. */
  maxParallel(): number;
  /** Paths asked for, one list per call. */
  asked: string[][];
  leases(): number;
  /** Cuts everything and stops listening; `start` listens on the same port again. */
  stop(): Promise<void>;
  start(): Promise<void>;
} & AsyncDisposable;

/** The credential that the scripted encoder accepts. */
export const workerToken = "a-worker-token-for-tests";

/** Starts the encoder. */
export async function startScriptedEncoder(logger: Logger): Promise<ScriptedEncoder> {
  const script: Script = {
    directive: Directive.CONTINUE,
    leaseLost: false,
    unavailable: false,
    uploadFaults: [],
    uploadMs: 0,
    sourcesMoved: false,
  };
  const waiting: MessageInitShape<typeof TaskSchema>[] = [];
  const heartbeats: HeartbeatRequest[] = [];
  const completed: CompleteTaskRequest[] = [];
  const failed: FailTaskRequest[] = [];
  const grown: AddSegmentsRequest[] = [];
  const offers: LeaseTaskRequest[] = [];
  const files = new Map<string, Buffer>();
  const asked: string[][] = [];
  const sources = new Map<string, string>();
  const encodeOf = new Map<string, string>();
  let [leases, parallel, maxParallel, port, url] = [0, 0, 0, 0, ""];

  const checkLease = () => {
    if (script.leaseLost) throw new DomainError("aborted", "Drop the task and its results: another worker has it.");
    if (script.unavailable) throw new DomainError("unavailable", "The encoder is away.");
  };
  const routes = (router: ConnectRouter) =>
    router.service(WorkerService, {
      async leaseTask(request, { signal }) {
        if (script.unavailable) throw new DomainError("unavailable", "The encoder is away.");
        for (let polls = 0; polls < 100 && !signal.aborted; polls++) {
          const index = waiting.findIndex(({ work }) => request.kinds.includes(kindOf(work)));
          const [task] = index < 0 ? [] : waiting.splice(index, 1);
          if (task) {
            offers.push(request);
            leases++;
            return { task };
          }
          await sleep(20);
        }
        return {};
      },
      heartbeat(request) {
        checkLease();
        heartbeats.push(request);
        const encodeId = encodeOf.get(request.lease?.taskId ?? "");
        const sourceUrl = script.sourcesMoved ? `${url}/sources/moved/${encodeId}` : "";
        return { directive: script.directive, leaseExpireTime: timestampFromMs(Date.now() + 12_000), sourceUrl };
      },
      createUploads({ paths }) {
        checkLease();
        asked.push(paths);
        return { urls: paths.map((path) => `${url}/objects/${path}?signature=${asked.length}`) };
      },
      addSegments(request) {
        checkLease();
        grown.push(request);
        return {};
      },
      completeTask(request) {
        checkLease();
        completed.push(request);
        return {};
      },
      failTask(request) {
        checkLease();
        failed.push(request);
        return {};
      },
    });

  async function serveSource(request: HttpRequest, response: HttpResponse): Promise<void> {
    const path = sources.get(request.url?.split("/").at(-1) ?? "");
    if (path === undefined) return answer(response, 404);
    if (script.sourcesMoved && !request.url?.includes("/moved/")) return answer(response, 503);
    const { size } = await stat(path);
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
    const start = range ? Number(range[1]) : 0;
    const end = Math.min(size - 1, range?.[2] ? Number(range[2]) : size - 1);
    if (range && start >= size) {
      response.setHeader("Content-Range", `bytes */${size}`);
      return answer(response, 416);
    }
    response.statusCode = range ? 206 : 200;
    response.setHeader("Accept-Ranges", "bytes");
    response.setHeader("Content-Length", size === 0 ? 0 : end - start + 1);
    if (range) response.setHeader("Content-Range", `bytes ${start}-${end}/${size}`);
    if (request.method === "HEAD" || size === 0) {
      response.end();
      return;
    }
    await pipeline(createReadStream(path, { start, end }), response).catch(() => {}); // the reader went away
  }

  async function takeUpload(request: HttpRequest, response: HttpResponse): Promise<void> {
    const fault = script.uploadFaults.shift();
    if (fault === "cut") {
      request.once("data", () => request.socket.destroy());
      return;
    }
    maxParallel = Math.max(maxParallel, ++parallel);
    try {
      const bytes = await buffer(request);
      await sleep(script.uploadMs);
      if (fault !== undefined) return answer(response, fault);
      if (Number(request.headers["content-length"]) !== bytes.length) return answer(response, 411);
      files.set((request.url ?? "").replace(/^\/objects\//, "").replace(/\?.*$/, ""), bytes);
      answer(response, 201);
    } finally {
      parallel--;
    }
  }

  let server: RpcServer;
  async function start(): Promise<void> {
    server = createServer({
      routes,
      http: [
        { path: "/sources/", handle: serveSource },
        { path: "/objects/", handle: takeUpload },
      ],
      authenticate: async (authorization) => {
        if (authorization === `Bearer ${workerToken}`) {
          return { kind: "worker", id: "built-in", scopes: "all", audiences: "all" };
        }
        throw new DomainError("unauthenticated", "This is no worker's credential.");
      },
      logger,
    });
    ({ url, port } = await server.listen({ port, host: "127.0.0.1" }));
  }
  await start();
  const stop = () => server.close(0);
  return {
    url,
    script,
    async offer(work, source) {
      const encodeId = randomUUID();
      sources.set(encodeId, source);
      const { size } = await stat(source);
      const taskId = randomUUID();
      encodeOf.set(taskId, encodeId);
      waiting.push(
        create(TaskSchema, {
          lease: { taskId, attempt: 1 },
          encodeId,
          sourceUrl: `${url}/sources/${encodeId}`,
          sourceBytes: BigInt(size),
          heartbeatInterval: durationFromMs(200),
          timeLimit: durationFromMs(120_000),
          ...(work && { work }),
        }),
      );
      return encodeId;
    },
    heartbeats,
    completed,
    failed,
    grown,
    offers,
    files,
    maxParallel: () => maxParallel,
    asked,
    leases: () => leases,
    stop,
    start,
    [Symbol.asyncDispose]: stop,
  };
}

const kinds: Record<string, TaskKind> = {
  probe: TaskKind.PROBE,
  encode: TaskKind.ENCODE,
  analyse: TaskKind.ANALYSE,
  encodeChunk: TaskKind.ENCODE_CHUNK,
  audio: TaskKind.AUDIO,
  images: TaskKind.IMAGES,
  trial: TaskKind.TRIAL,
  verify: TaskKind.VERIFY,
};

function kindOf(work: MessageInitShape<typeof TaskSchema>["work"]): TaskKind {
  return kinds[work?.case ?? ""] ?? TaskKind.UNSPECIFIED;
}

function answer(response: HttpResponse, status: number): void {
  response.statusCode = status;
  response.setHeader("Content-Length", 0);
  response.end();
}
