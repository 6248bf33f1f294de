import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chown, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { temporaryFolder, waitUntil } from "@kinora/testing";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ordinaryUser, startWriter, type Writer } from "../fixtures/start-writer.ts";
import { clusterPaths } from "./cluster-folder.ts";
import { clusterNameOf, clusterProcesses, processTable } from "./process-table.ts";
import type { RunAs } from "./run-child.ts";

const ordinary = ordinaryUser();
const users: [string, RunAs | undefined][] = [["the user of this test", undefined]];
if (ordinary) users.push(["an ordinary user", ordinary]);

describe.each(users)("after a crash, as %s", (_, user) => {
  let dataDir: string;
  let removeFolder: () => Promise<void>;
  const writers: Writer[] = [];

  beforeAll(async () => {
    const folder = await temporaryFolder();
    // Below a folder that nobody else may enter, as in a home or in /root.
    dataDir = join(folder.path, "home", "kinora");
    await mkdir(join(folder.path, "home"), { mode: 0o700 });
    if (user) for (const path of [folder.path, join(folder.path, "home")]) await chown(path, user.uid, user.gid);
    removeFolder = folder.remove;
  });
  afterEach(async () => {
    await Promise.all(writers.splice(0).map((writer) => writer.stop("SIGTERM")));
  });
  afterAll(() => removeFolder());

  function start(): Writer {
    const writer = startWriter(dataDir, user);
    writers.push(writer);
    return writer;
  }
  const paths = () => clusterPaths(join(dataDir, "writer", "postgres"));
  const postgres = async () => clusterProcesses(await clusterNameOf(paths().data));

  /** A writer that has had rows acknowledged. */
  async function writing(): Promise<Writer> {
    const writer = start();
    await writer.said("ready\n");
    const before = writer.acknowledged();
    await waitUntil("rows are written", () => writer.acknowledged() > before + 10);
    return writer;
  }

  /** Starts again and checks that no acknowledged row is lost, and at most the one that was under way was added. */
  async function expectNothingLost(before: Writer): Promise<void> {
    const after = await writing();
    const [first = 0] = after
      .output()
      .split("\n")
      .filter((line) => /^\d+$/.test(line))
      .map(Number);
    expect(first - 1).toBeGreaterThanOrEqual(before.acknowledged());
    expect(first - 1).toBeLessThanOrEqual(before.acknowledged() + 1);
    expect(await after.stop("SIGTERM")).toBe(0);
    expect(await postgres()).toEqual([]);
  }

  async function watchers(): Promise<number[]> {
    const postmasters = (await postgres()).map(({ pid }) => pid);
    return (await processTable())
      .filter(({ commandLine }) => postmasters.some((pid) => commandLine.trim().endsWith(`postgres-watcher ${pid}`)))
      .map(({ pid }) => pid);
  }

  it("recovers when initdb was interrupted", async () => {
    const killed = start();
    const { folder, cluster } = paths();
    await waitUntil("initdb has begun", async () => {
      const names = existsSync(folder) ? await readdir(folder) : [];
      const fresh = names.find((name) => name.startsWith("new-"));
      return fresh && existsSync(join(folder, fresh, "data", "base"));
    });
    await killed.stop("SIGKILL");
    expect(existsSync(cluster)).toBe(false);

    const writer = await writing();
    expect((await readdir(folder)).filter((name) => name.startsWith("new-"))).toEqual([]);
    expect(await writer.stop("SIGTERM")).toBe(0);
  });

  it("loses no acknowledged row when the process is killed, and Postgres ends with it", async () => {
    const writer = await writing();
    await writer.stop("SIGKILL");
    await waitUntil("Postgres ends by itself", async () => (await postgres()).length === 0, 20_000);
    await expectNothingLost(writer);
  });

  it("takes the place of a Postgres that was left behind", async () => {
    const writer = await writing();
    for (const pid of await watchers()) process.kill(pid, "SIGKILL");
    await writer.stop("SIGKILL");
    await sleep(200);
    expect((await postgres()).some(({ postmaster }) => postmaster)).toBe(true);

    await expectNothingLost(writer);
  });

  it("recovers when everything is killed, and a stale lock file names a process that lives", async () => {
    const writer = await writing();
    const all = [...(await watchers()), ...(await postgres()).map(({ pid }) => pid)];
    for (const pid of all) process.kill(pid, "SIGKILL");
    await writer.stop("SIGKILL");
    await waitUntil("all are gone", async () => (await postgres()).length === 0);

    // A process of the same user, so that Postgres by itself would refuse: "lock file already exists".
    const bystander = spawn("sleep", ["600"], { stdio: "ignore", ...(user ?? {}) });
    const lockFile = join(paths().data, "postmaster.pid");
    await rm(lockFile);
    await writeFile(lockFile, `${bystander.pid}\n${paths().data}\n0\n5432\n\n\n0 0\nready\n`);
    try {
      await expectNothingLost(writer);
      expect(bystander.exitCode ?? bystander.signalCode).toBeNull();
    } finally {
      bystander.kill();
    }
  });

  it.runIf(user === undefined)("gives the second process on the same folder one clear sentence", async () => {
    const first = await writing();
    const second = start();
    expect(await second.stop("SIGCONT")).toBe(1);
    expect(second.output()).toBe(
      `failed: The database in ${paths().folder} is already in use by another Kinora (process ${first.pid}). ` +
        "Stop that one, or give this one a folder of its own with KINORA_DATA.\n",
    );
    await waitUntil("the first goes on", () => first.acknowledged() > 20);
    expect(await first.stop("SIGTERM")).toBe(0);
  });

  it.runIf(user === undefined)("runs beside another on a folder of its own", async () => {
    const one = await writing();
    const other = startWriter(join(dataDir, "..", "other"), user);
    writers.push(other);
    await other.said("ready\n");
    expect(await other.stop("SIGTERM")).toBe(0);
    expect(await one.stop("SIGTERM")).toBe(0);
  });
});

it.runIf(ordinary)("runs as a user that isn't in /etc/passwd where the system allows it, or says why not", async () => {
  const folder = await temporaryFolder();
  const stranger = { uid: 4242, gid: 4242 };
  await chown(folder.path, stranger.uid, stranger.gid);
  const writer = startWriter(folder.path, stranger);
  try {
    await waitUntil("it has started or said why not", () => writer.output().includes("\n"));
    expect(writer.output()).toMatch(/^ready|^failed: .* user 4242 isn't in \/etc\/passwd/);
  } finally {
    await writer.stop("SIGTERM");
    await folder.remove();
  }
});
