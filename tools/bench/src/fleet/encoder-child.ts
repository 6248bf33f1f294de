/** The encoder as one process, with an embedded Postgres of its own and a user service in memory that grants every quota. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDatabase } from "@kinora/database";
import { createEncoderService, migrations } from "@kinora/encoder";
import { QuotaService } from "@kinora/proto-user";
import { type Authenticate, createInMemoryTransport, createServer, type Logger } from "@kinora/rpc";
import { answerParent } from "../harness/child.ts";

const ignore = () => {};
const tell = (...told: unknown[]) => console.error("encoder:", ...told);
const logger: Logger = {
  trace: ignore,
  debug: ignore,
  info: ignore,
  warn: tell,
  error: tell,
  fatal: tell,
  child: () => logger,
};

const all = { scopes: "all", audiences: "all" } as const;

/** `worker` and whatever follows, or `user-` and an id: tokens cost the same whatever they are, and `bench rpc` measures real ones. */
const authenticate: Authenticate = async (authorization = "") => {
  const token = authorization.replace(/^Bearer /, "");
  if (token === "service") return { kind: token, id: "bench", ...all };
  if (token.startsWith("worker")) return { kind: "worker", id: "bench", ...all };
  return { kind: "user", userId: token.slice("user-".length), role: "member", sessionId: "bench", ...all };
};

const dataDir = await mkdtemp(join(tmpdir(), "kinora-bench-"));
const database = await openDatabase({
  name: "encoder",
  dataDir,
  migrations,
  logger,
  signal: new AbortController().signal,
});
let url = "";
const service = await createEncoderService({
  database,
  dataDir,
  logger,
  userTransport: createInMemoryTransport({
    routes: (router) =>
      router.service(QuotaService, {
        reserveQuota: () => ({}),
        settleQuota: () => ({}),
        releaseQuota: () => ({}),
        recordStorage: () => ({}),
      }),
    authenticate,
    logger,
    token: "service",
  }),
  authenticate,
  perPersonCap: 1_000_000,
  publicUrl: () => url,
  internalUrl: () => url,
});
const server = createServer({
  routes: service.routes,
  longPolls: service.longPolls,
  steadfast: service.steadfast,
  http: service.http,
  authenticate,
  logger,
});
({ url } = await server.listen({ port: 0, host: "127.0.0.1" }));

answerParent({ where: () => ({ url, objects: join(dataDir, "encoder/objects") }) }, async () => {
  service.drain();
  await server.close(1_000);
  await service.close();
  await database.close();
  await rm(dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
});
