import { randomUUID } from "node:crypto";
import type { Database } from "@kinora/database";
import { openTestDatabase } from "@kinora/database/testing";
import { createServer, type RpcServer } from "@kinora/rpc";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { migrations } from "../migrations.ts";
import { createDb } from "../store/db.ts";
import { authenticate, recordingLogger } from "../testing/harness.ts";
import { backlogRoute } from "./backlog-route.ts";

const token = "metrics-token-of-the-test";
const logger = recordingLogger([]);

let database: Database;
let server: RpcServer;
let url: string;
beforeAll(async () => {
  database = await openTestDatabase("encoder", migrations);
  const http = [backlogRoute({ db: createDb(database.pool), gpuPatienceSeconds: 60 }, token)];
  server = createServer({ routes: () => {}, http, authenticate, logger });
  ({ url } = await server.listen({ port: 0, host: "127.0.0.1" }));
});
afterAll(async () => {
  await server.close();
  await database.close();
});

const get = (authorization?: string, method = "GET", query = "") =>
  fetch(`${url}/metrics/queue${query}`, { method, headers: authorization === undefined ? {} : { authorization } });

async function addTasks(states: readonly string[], queue = "encode.cpu", encodeState = "queued"): Promise<void> {
  const [video, encode, owner] = [randomUUID(), randomUUID(), randomUUID()];
  const { pool } = database;
  await pool.query("INSERT INTO videos (id, owner_id, name, size_bytes, state) VALUES ($1, $2, 'v', 1, 'uploaded')", [
    video,
    owner,
  ]);
  await pool.query("INSERT INTO encodes (id, video_id, owner_id, state) VALUES ($1, $2, $3, $4)", [
    encode,
    video,
    owner,
    encodeState,
  ]);
  for (const state of states) {
    await pool.query("INSERT INTO tasks (id, encode_id, kind, queue, state) VALUES ($1, $2, 'probe', $3, $4)", [
      randomUUID(),
      encode,
      queue,
      state,
    ]);
  }
}

describe("/metrics/queue", () => {
  it("counts what waits and what is being done, and nothing that is over", async () => {
    expect(await (await get(`Bearer ${token}`)).json()).toMatchObject({ waiting: 0, leased: 0, tasks: 0 });
    await addTasks(["waiting", "waiting", "leased", "done", "failed", "cancelled"]);
    const answer = await get(`Bearer ${token}`);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(await answer.json()).toMatchObject({
      waiting: 2,
      leased: 1,
      tasks: 3,
      queues: { "encode.cpu": { waiting: 2, leased: 1, tasks: 3 } },
    });
  });

  it("counts the queues that are asked for, also when they are empty", async () => {
    const count = async (query: string) => (await get(`Bearer ${token}`, "GET", query)).json();
    expect(await count("?queue=encode.cpu&queue=encode.nvenc")).toMatchObject({ tasks: 3 });
    expect(await count("?queue=encode.nvenc")).toEqual({ waiting: 0, leased: 0, tasks: 0, queues: {} });
  });

  it("tells the CPU's scaler of what a GPU's workers have left behind, or nobody would start the worker that it goes over to", async () => {
    const tasksOf = async (query: string) =>
      ((await (await get(`Bearer ${token}`, "GET", query)).json()) as { tasks: number }).tasks;
    await database.pool.query(
      "INSERT INTO workers (id, slots, cores, memory_bytes, encoders, seen_at) VALUES ('gpu', 2, 2, 0, '{nvenc}', now())",
    );
    await addTasks(["waiting", "waiting"], "encode.nvenc", "encoding");
    expect([await tasksOf("?queue=encode.cpu"), await tasksOf("?queue=encode.nvenc")]).toEqual([3, 2]);
    await database.pool.query("UPDATE workers SET seen_at = now() - interval '2 minutes'");
    expect([await tasksOf("?queue=encode.cpu"), await tasksOf("?queue=encode.nvenc")]).toEqual([5, 2]);
    expect(await tasksOf("")).toBe(5);
    await database.pool.query("DELETE FROM videos; DELETE FROM workers");
    await addTasks(["waiting", "waiting", "leased"]);
  });

  it.each([undefined, "", "Bearer ", "Bearer worker", "Bearer service", `Basic ${token}`, `Bearer ${token}x`])(
    "stays shut for %s",
    async (authorization) => {
      const answer = await get(authorization);
      expect(answer.status).toBe(401);
      expect(await answer.text()).not.toContain("waiting");
    },
  );

  it("can only be read", async () => {
    expect((await get(`Bearer ${token}`, "POST")).status).toBe(405);
    expect(await (await get(`Bearer ${token}`, "HEAD")).text()).toBe("");
  });
});
