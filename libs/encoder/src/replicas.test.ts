import { afterEach, expect, it } from "vitest";
import { lease, soon, startEncoder, startOne, work } from "./testing/harness.ts";
import { useEncoder } from "./testing/use-encoder.ts";

const installation = useEncoder();

afterEach(async () => {
  await installation.database.pool.query("DELETE FROM videos");
});

/** Processes of Postgres that serve a replica that listens. */
async function listeners(): Promise<number[]> {
  const { rows } = await installation.database.pool.query<{ pid: number }>(
    "SELECT pid FROM pg_stat_activity WHERE application_name = 'kinora-encoder-listen'",
  );
  return rows.map(({ pid }) => pid);
}

it("a task that one replica queues is leased by another without looking for it", async () => {
  await using other = await replica({ neverPolls: true });
  const waiting = lease(other.worker);
  await startOne(installation.encoder.person());
  expect((await waiting).work.case).toBe("probe");
});

it("a replica that can't be told looks by itself, and listens again soon", async () => {
  await using other = await replica({});
  await expect.poll(listeners, soon).toHaveLength(2);
  const before = await listeners();
  await installation.database.pool.query("SELECT pg_terminate_backend(pid) FROM unnest($1::integer[]) AS pid", [
    before,
  ]);
  const waiting = lease(other.worker);
  await startOne(installation.encoder.person());
  const task = await waiting;
  expect(task.work.case).toBe("probe");
  await work(other.worker, task);
  await expect.poll(async () => (await listeners()).filter((pid) => !before.includes(pid)), soon).toHaveLength(2);
});

it("stops listening when it stops", async () => {
  const other = await replica({});
  await expect.poll(listeners, soon).toHaveLength(2);
  await other.close();
  await expect.poll(listeners, soon).toHaveLength(1);
});

/** Another encoder on the same database and objects. */
async function replica(options: { neverPolls?: boolean }) {
  const { database, dataDir, quota } = installation;
  const encoder = await startEncoder({ database, dataDir, quota, ...options });
  return { ...encoder, [Symbol.asyncDispose]: () => encoder.close() };
}
