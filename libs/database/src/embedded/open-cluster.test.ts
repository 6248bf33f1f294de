import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmdirSync } from "node:fs";
import { chmod, chown, cp, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { temporaryFolder, waitUntil } from "@kinora/testing";
import type pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { withConnection } from "../connection.ts";
import { DatabaseError } from "../database-error.ts";
import { copyClusterTemplate } from "../testing/cluster-template.ts";
import { clusterPaths } from "./cluster-folder.ts";
import { type Cluster, openCluster } from "./open-cluster.ts";
import { clusterNameOf, clusterProcesses } from "./process-table.ts";

const isRoot = process.getuid?.() === 0;
const quiet = { info() {}, warn() {}, error() {} };

let root: string;
let removeRoot: () => Promise<void>;
const opened: Cluster[] = [];

beforeAll(async () => {
  const folder = await temporaryFolder();
  root = folder.path;
  removeRoot = folder.remove;
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((cluster) => cluster.close()));
});
afterAll(() => removeRoot());

/** A folder with a new cluster that hasn't been started. */
async function newFolder(name: string): Promise<string> {
  const folder = join(root, name, "postgres");
  await copyClusterTemplate(folder);
  return folder;
}

async function open(folder: string, more: { proc?: boolean; signal?: AbortSignal } = {}): Promise<Cluster> {
  const cluster = await openCluster({ folder, dataDir: root, logger: quiet, durable: false, ...more });
  opened.push(cluster);
  return cluster;
}

function ask<T extends pg.QueryResultRow>(cluster: Cluster, sql: string): Promise<T[]> {
  return withConnection(
    { connectionString: cluster.url },
    undefined,
    async (client) => (await client.query<T>(sql)).rows,
  );
}

function mount(folder: string, options: string): boolean {
  return spawnSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", folder]).status === 0;
}

/** Containers and ordinary users mostly can't. */
function canMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), "kinora-mount-"));
  const can = isRoot && mount(folder, "size=1m");
  if (can) spawnSync("umount", [folder]);
  rmdirSync(folder);
  return can;
}

/** A file of the data folder that this test has written belongs to Postgres's user again. */
async function giveBack(file: string): Promise<void> {
  const { uid, gid } = await stat(join(file, ".."));
  await chown(file, uid, gid);
}

/** The message of the DatabaseError that opening ends with. */
async function refusal(folder: string): Promise<string> {
  const error: unknown = await open(folder).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof DatabaseError)) throw new Error(`not a DatabaseError: ${error}`);
  expect(error.message).not.toContain("\n");
  return error.message;
}

describe("a new cluster", () => {
  it("takes connections on a socket only, with a password, and keeps every promise of durability", async () => {
    const folder = join(root, "new", "postgres");
    const cluster = await openCluster({ folder, dataDir: root, logger: quiet });
    opened.push(cluster);
    const settings = await ask<{ name: string; setting: string }>(
      cluster,
      "SELECT name, setting FROM pg_settings WHERE name IN ('listen_addresses', 'fsync', 'synchronous_commit', 'full_page_writes', 'server_encoding')",
    );
    expect(Object.fromEntries(settings.map(({ name, setting }) => [name, setting]))).toEqual({
      listen_addresses: "",
      fsync: "on",
      synchronous_commit: "on",
      full_page_writes: "on",
      server_encoding: "UTF8",
    });
    const wrong = new URL(cluster.url);
    wrong.password = "wrong";
    await expect(withConnection({ connectionString: wrong.href }, undefined, async () => {})).rejects.toThrow(
      /password authentication failed/,
    );

    const { password, data } = clusterPaths(folder);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect((await stat(password)).mode & 0o777).toBe(0o600);
    expect((await stat(password)).uid).toBe(process.getuid?.());
    expect((await stat(data)).uid).toBe(isRoot ? 65534 : process.getuid?.());
    expect((await stat(join(folder, "socket"))).mode & 0o777).toBe(0o700);
  });

  it("leaves no process, socket or lock behind when closed, twice even", async () => {
    const folder = await newFolder("closed");
    const cluster = await open(folder);
    const name = await clusterNameOf(clusterPaths(folder).data);
    expect(await clusterProcesses(name)).not.toEqual([]);
    await cluster.close();
    await cluster.close();
    expect(await clusterProcesses(name)).toEqual([]);
    expect((await readdir(folder)).sort()).toEqual(["cluster", "lock", "postgres.log"]);
    await open(folder);
  });

  it("can be below any path", async () => {
    const name = `it's "my" $HOME \`x\` \\ ünï ${"long ".repeat(30)}`;
    const cluster = await open(await newFolder(name));
    expect(await ask(cluster, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
  });

  it("stops when opening is given up", async () => {
    const folder = await newFolder("given-up");
    for (const after of [0, 10, 30]) {
      const stop = new AbortController();
      const opening = open(folder, { signal: stop.signal });
      setTimeout(() => stop.abort(new Error("given up")), after);
      await opening.then(
        (cluster) => cluster.close(), // it was quicker
        (error: unknown) => expect(error).toEqual(new Error("given up")),
      );
      expect(await clusterProcesses(await clusterNameOf(clusterPaths(folder).data))).toEqual([]);
    }
    await open(folder);
  });
});

describe("a cluster that was open before", () => {
  it("still has its rows", async () => {
    const folder = await newFolder("rows");
    const first = await open(folder);
    await ask(first, "CREATE TABLE fruit AS SELECT 'pear' AS name");
    await first.close();
    const second = await open(folder);
    expect(await ask(second, "SELECT name FROM fruit")).toEqual([{ name: "pear" }]);
  });

  it("starts with a lock file of rubbish, and a socket in the way", async () => {
    const folder = await newFolder("rubbish");
    await writeFile(join(clusterPaths(folder).data, "postmaster.pid"), "rubbish");
    await mkdir(join(folder, "socket"));
    await writeFile(join(folder, "socket", ".s.PGSQL.5432"), "");
    await writeFile(join(folder, "socket", ".s.PGSQL.5432.lock"), `${process.ppid}\n`);
    await open(folder);
  });

  it("is started again when Postgres alone is killed", async () => {
    const folder = await newFolder("killed");
    const cluster = await open(folder);
    await ask(cluster, "CREATE TABLE fruit AS SELECT 'pear' AS name");
    await ask(cluster, "CHECKPOINT"); // a commit in a test cluster does not wait for its record to be written
    const name = await clusterNameOf(clusterPaths(folder).data);
    for (const { pid } of await clusterProcesses(name)) process.kill(pid, "SIGKILL");
    const rows = await waitUntil("it answers again", () =>
      ask(cluster, "SELECT name FROM fruit").catch(() => undefined),
    );
    expect(rows).toEqual([{ name: "pear" }]);
  });

  it.runIf(isRoot)("is given back to Postgres's user when root has copied it", async () => {
    const folder = await newFolder("copied");
    const copy = join(root, "copied", "copy");
    await cp(folder, copy, { recursive: true });
    await chmod(clusterPaths(copy).data, 0o755);
    await open(copy);
    expect((await stat(join(clusterPaths(copy).data, "base"))).uid).toBe(65534);
  });

  it.runIf(isRoot)("runs as the ordinary user whose it is when root opens it", async () => {
    const folder = await newFolder("of-a-user");
    const { data } = clusterPaths(folder);
    for (const name of await readdir(data, { recursive: true })) await chown(join(data, name), 1, 1);
    await chown(data, 1, 1);
    await open(folder);
    expect((await stat(join(data, "postmaster.pid"))).uid).toBe(1);
  });

  it.runIf(!isRoot)("works where there is no /proc, with its socket in the temporary folder", async () => {
    const folder = await newFolder("no-proc");
    const cluster = await open(folder, { proc: false });
    expect(await ask(cluster, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
    const socket = await readFile(join(folder, "socket-folder"), "utf8");
    expect((await stat(socket)).mode & 0o777).toBe(0o700);
    await cluster.close();
    expect(existsSync(socket)).toBe(false);
  });
});

describe("one sentence says what to do", () => {
  it("when the folder is in use", async () => {
    const folder = await newFolder("in-use");
    await open(folder);
    expect(await refusal(folder)).toBe(
      `The database in ${folder} is already in use by another Kinora (process ${process.pid}). ` +
        "Stop that one, or give this one a folder of its own with KINORA_DATA.",
    );
  });

  describe("when the folder has been damaged:", () => {
    let folder: string;
    beforeAll(async () => {
      folder = await newFolder("damaged");
    });

    /** The refusal while `file` holds something else, or is gone. */
    async function refusalWith(file: string, content: string | undefined): Promise<string> {
      const whole = await readFile(file);
      await (content === undefined ? rm(file) : writeFile(file, content));
      const message = await refusal(folder);
      await writeFile(file, whole);
      await giveBack(file);
      return message;
    }

    it("another version's data", async () => {
      const { cluster, data } = clusterPaths(folder);
      expect(await refusalWith(join(data, "PG_VERSION"), "17\n")).toBe(
        `The database in ${cluster} was made by Postgres 17, and this is Postgres 18. Start it with the Kinora that made it, or move the folder away to begin anew.`,
      );
    });

    it("part of the data is gone", async () => {
      const { cluster, data } = clusterPaths(folder);
      expect(await refusalWith(join(data, "PG_VERSION"), undefined)).toContain(
        `${cluster} doesn't hold a whole database.`,
      );
    });

    it("another database's password", async () => {
      const { password } = clusterPaths(folder);
      expect(await refusalWith(password, "another\n")).toContain(`The password in ${password} isn't the database's.`);
    });

    it("something only Postgres notices, in its own words", async () => {
      const { data, log } = clusterPaths(folder);
      const message = await refusalWith(join(data, "global", "pg_control"), undefined);
      expect(message).toContain("could not find the database system");
      expect(message).toContain(log);
      expect(await clusterProcesses(await clusterNameOf(data))).toEqual([]);
    });

    it("none of it when all is mended", async () => {
      await open(folder);
    });
  });

  it("when a file is in the way", async () => {
    await writeFile(join(root, "file"), "");
    const folder = join(root, "file", "postgres");
    expect(await refusal(folder)).toBe(
      `${folder} can't be made, as a file is in its place. Set KINORA_DATA to another folder.`,
    );
  });

  it.runIf(canMount())("when the disk is full or read-only, and goes on when that is over", async () => {
    const disk = join(root, "disk");
    const folder = join(disk, "postgres");
    await mkdir(disk);
    mount(disk, "size=60m");
    try {
      await (await open(folder)).close();
      const { stdout } = spawnSync("df", ["--output=avail", "-B1", disk], { encoding: "utf8" });
      await writeFile(join(disk, "filler"), Buffer.alloc(Number(stdout.split("\n")[1])));
      expect(await refusal(folder)).toContain(`The disk that holds ${folder} is full.`);
      mount(disk, "remount,ro");
      expect(await refusal(folder)).toContain(`${folder} is on a read-only disk.`);
      mount(disk, "remount,rw");
      await rm(join(disk, "filler"));
      await (await open(folder)).close();
    } finally {
      spawnSync("umount", ["-l", disk]);
    }
  });

  it.runIf(!isRoot)("when the folder can't be written", async () => {
    await mkdir(join(root, "locked"), { mode: 0o500 });
    expect(await refusal(join(root, "locked", "postgres"))).toContain("This user may not use");
  });
});
