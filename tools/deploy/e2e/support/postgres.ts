import { spawn } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { run } from "./command.ts";

/** A Postgres on a port of this machine, as a service in a container would be given one. */
export type Postgres = { url(database: string): string; stop(): Promise<void> };

/** Postgres doesn't run as root, and CI does. */
const nobody = 65534;

/** Starts the binaries that came with npm, on an empty folder. */
export async function startPostgres(databases: readonly string[]): Promise<Postgres> {
  const bin = binaries();
  const folder = mkdtempSync(join(tmpdir(), "postgres-"));
  const asNobody = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {};
  if ("uid" in asNobody) chownSync(folder, nobody, nobody);
  const env = { ...process.env, LC_ALL: "C" };
  const port = await freePort();
  const data = join(folder, "data");
  await run(join(bin, "initdb"), ["-D", data, "-U", "postgres", "-A", "trust", "--no-sync"], { ...asNobody, env });
  const settings = ["-c", "fsync=off", "-c", `unix_socket_directories=`, "-c", "listen_addresses=127.0.0.1"];
  const server = spawn(join(bin, "postgres"), ["-D", data, "-p", String(port), ...settings], { ...asNobody, env, stdio: "ignore" });
  const url = (database: string): string => `postgres://postgres@127.0.0.1:${port}/${database}`;
  const stop = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.once("close", resolve));
    server.kill("SIGINT");
    if (server.exitCode === null) await closed;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    for (const database of databases) await createDatabase(bin, data, port, database);
    return { url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
