import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { temporaryFolder } from "@kinora/testing";
import { describe, expect, it } from "vitest";
import { echoAuthenticate, echoRoutes } from "../testing/echo-service.ts";
import { recordingLogger } from "../testing/recording-logger.ts";
import { createServer } from "./create-server.ts";

async function start(path: string, mode?: number) {
  const server = createServer({ routes: echoRoutes(), authenticate: echoAuthenticate, logger: recordingLogger() });
  const { url } = await server.listen({ path, ...(mode === undefined ? {} : { mode }) });
  return { url, close: () => server.close(), [Symbol.asyncDispose]: () => server.close(0) };
}

/** Leaves the socket of a process that has ended without a word. */
async function leaveSocket(path: string): Promise<void> {
  const child = spawn(process.execPath, [
    "-e",
    `require("net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`,
  ]);
  await once(child, "exit");
}

describe("a server on a Unix socket", () => {
  it("answers both versions there, and takes the file along", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "rpc.sock");
    await using server = await start(path);
    expect(server.url).toBe(`unix:${path}`);
    const [response] = await once(request({ socketPath: path, path: "/healthz" }).end(), "response");
    expect(await text(response)).toContain("ok");
    const session = connectHttp2("http://localhost", { createConnection: () => connect(path) });
    expect(await text(session.request({ ":path": "/healthz" }))).toContain("ok");
    const gone = once(session, "close");
    await server.close();
    await gone;
    expect(existsSync(path)).toBe(false);
  });

  it.each([
    [undefined, 0o600],
    [0o666, 0o666],
  ])("lets in whom its mode %o says", async (mode, expected) => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "rpc.sock");
    await using _server = await start(path, mode);
    expect(statSync(path).mode & 0o777).toBe(expected);
  });

  it("takes the place of a process that has ended", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "rpc.sock");
    await leaveSocket(path);
    expect(existsSync(path)).toBe(true);
    await using server = await start(path);
    const [response] = await once(request({ socketPath: path, path: "/healthz" }).end(), "response");
    expect(await text(response)).toContain("ok");
    expect(server.url).toContain(path);
  });

  it("doesn't take the place of one that lives", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "rpc.sock");
    await using _first = await start(path);
    await expect(start(path)).rejects.toThrow(/a process listens on .*rpc\.sock already: stop it/);
    const [response] = await once(request({ socketPath: path, path: "/healthz" }).end(), "response");
    expect(await text(response)).toContain("ok");
  });

  it("leaves files that are no socket alone", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "notes.txt");
    writeFileSync(path, "dear diary");
    await expect(start(path)).rejects.toThrow(/isn't a socket/);
    expect(existsSync(path)).toBe(true);
  });

  it("says when its path is too long", async () => {
    await expect(start(`/tmp/${"x".repeat(120)}`)).rejects.toThrow(/too long: the system takes 10[37] bytes/);
  });
});
