import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { type ByteSource, openByteSource } from "./byte-source.ts";

const content = Buffer.from(Array.from({ length: 1000 }, (_, index) => index % 251));
const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

const options = { blockBytes: 64, blocks: 3, timeoutMs: 5000, retryMs: [1, 1] };

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/source`;
}

/** Answers range requests as a file server does. */
const ranges =
  (body: Buffer): RequestListener =>
  (request, response) => {
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
    const [start, end] = [Number(range?.[1]), Math.min(Number(range?.[2]), body.length - 1)];
    if (start >= body.length) response.writeHead(416, { "content-range": `bytes */${body.length}` }).end();
    else {
      response.writeHead(206, { "content-range": `bytes ${start}-${end}/${body.length}` });
      response.end(body.subarray(start, end + 1));
    }
  };

async function readAll(source: ByteSource): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const part = await source.read(at, 50);
    if (part.length === 0) return Buffer.concat(parts);
    parts.push(part);
    at += part.length;
  }
}

describe("a source", () => {
  it("is read from a file", async () => {
    const folder = await mkdtemp(join(tmpdir(), "kinora-media-"));
    cleanups.push(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, "source"), content);
    const source = await openByteSource(join(folder, "source"));
    expect(source.size).toBe(1000);
    expect(await readAll(source)).toEqual(content);
    expect(await source.read(990, 50)).toEqual(content.subarray(990));
    await source.close();
  });

  it("is read over HTTP in blocks, each once while it is in use", async () => {
    let requests = 0;
    const url = await serve((request, response) => {
      requests++;
      ranges(content)(request, response);
    });
    const source = await openByteSource(url, options);
    expect(source.size).toBe(1000);
    expect(await readAll(source)).toEqual(content);
    expect(requests).toBe(Math.ceil(1000 / 64));
    expect(await source.read(3, 4)).toEqual(content.subarray(3, 7));
    expect(await source.read(999, 50)).toEqual(content.subarray(999));
    await source.close();
  });

  it("may be empty", async () => {
    const source = await openByteSource(await serve(ranges(Buffer.alloc(0))), options);
    expect(source.size).toBe(0);
    expect(await source.read(0, 10)).toHaveLength(0);
  });

  it("is tried again after a fault of its server or of the network", async () => {
    let requests = 0;
    const url = await serve((request, response) => {
      requests++;
      if (requests % 3 === 1) response.writeHead(503).end();
      else if (requests % 3 === 2) request.socket.destroy();
      else ranges(content)(request, response);
    });
    expect(await readAll(await openByteSource(url, { ...options, blockBytes: 500 }))).toEqual(content);
  });

  it.each<[string, RequestListener, RegExp]>([
    ["that may not be read", (_, response) => response.writeHead(403).end(), /answers 403/],
    ["whose server stays broken", (_, response) => response.writeHead(500).end(), /answers 500/],
    ["without ranges", (_, response) => response.writeHead(200).end("all of it"), /range requests/],
    [
      "that gives another part",
      (_, response) => response.writeHead(206, { "content-range": "bytes 5-9/10" }).end("56789"),
      /another part/,
    ],
    [
      "that is cut off",
      (_, response) => response.writeHead(206, { "content-range": "bytes 0-9/10" }).end("0123"),
      /4 bytes instead of 10/,
    ],
  ])("%s is a fault of the machine", async (_, listener, message) => {
    const opening = openByteSource(await serve(listener), options);
    await expect(opening).rejects.toMatchObject({ name: "TaskError", kind: "machine" });
    await expect(opening).rejects.toThrow(message);
  });

  it("that is not there is a fault of the machine", async () => {
    await expect(openByteSource("/no/such/file")).rejects.toMatchObject({ kind: "machine" });
    await expect(openByteSource("http://127.0.0.1:1/source", options)).rejects.toMatchObject({ kind: "machine" });
  });
});
