import type { Database } from "@kinora/database";
import { openTestDatabase } from "@kinora/database/testing";
import { waitUntil } from "@kinora/testing";
import { afterAll, beforeAll, expect, it } from "vitest";
import { userMigrations } from "../migrations.ts";
import { createStore, type Store } from "../store/store.ts";
import { memoryLogger } from "../testing/service-under-test.ts";
import { createJobQueue, type JobQueue } from "./job-queue.ts";

let database: Database;
let store: Store;
const signal = AbortSignal.timeout(120_000);
const options = { retentionSeconds: 600, rememberSeconds: 600 };
const open: JobQueue[] = [];

beforeAll(async () => {
  database = await openTestDatabase("user", userMigrations);
  store = createStore(database);
});
afterAll(async () => {
  await Promise.all(open.map((jobs) => jobs.close()));
  await database?.close();
});

function jobQueue(of: Pick<Database, "url"> = database): JobQueue {
  const jobs = createJobQueue({ database: of, logger: memoryLogger().logger });
  open.push(jobs);
  return jobs;
}

it("starts with the first jobs, although their transactions hold every connection of the pool", async () => {
  const jobs = jobQueue();
  const done: number[] = [];
  const queue = jobs.queue<{ n: number }>("early", options, async ({ n }) => void done.push(n));
  const given = Array.from({ length: 15 }, (_, n) => store.transaction(signal, (tx) => queue.enqueue(tx, { n })));
  await Promise.all(given);
  await waitUntil(
    "all are done",
    () => {
      queue.hurry();
      return done.length >= given.length;
    },
    60_000,
  );
  expect(done.toSorted((a, b) => a - b)).toEqual(given.map((_, n) => n));
});

it("does one after another, without a poll for each", async () => {
  const jobs = jobQueue();
  let done = 0;
  const queue = jobs.queue<object>("many", options, async () => void done++);
  await jobs.start();
  await store.transaction(signal, async (tx) => {
    for (let n = 0; n < 100; n++) await queue.enqueue(tx, {});
  });
  queue.hurry();
  await waitUntil("all are done", () => done === 100, 50_000);
});

it("does what an earlier process left, once it is started", async () => {
  const before = jobQueue();
  const left = before.queue<object>("left", options, async () => {
    throw new Error("not now");
  });
  await store.transaction(signal, (tx) => left.enqueue(tx, {}));
  await before.close();
  const after = jobQueue();
  let done = 0;
  after.queue<object>("left", options, async () => void done++);
  await after.start();
  await waitUntil("it is done", () => done > 0, 60_000);
});

it("tries to start again after it couldn't, and not once it is closed", async () => {
  const reachable = { url: "postgres://127.0.0.1:1/nowhere" };
  const jobs = jobQueue(reachable);
  jobs.queue<object>("again", options, async () => {});
  await expect(jobs.start()).rejects.toThrow(/ECONNREFUSED/);
  reachable.url = database.url;
  await jobs.start();
  await jobs.close();
  await expect(jobs.start()).rejects.toThrow();
});
