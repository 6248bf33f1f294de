import { createHash, randomBytes } from "node:crypto";
import { readFile, rm, stat, symlink, utimes } from "node:fs/promises";
import http from "node:http";
import http2 from "node:http2";
import { connect } from "node:net";
import { join } from "node:path";
import { openFolderStore } from "@kinora/storage";
import { describe, expect, it } from "vitest";
import type { Context } from "../context.ts";
import { openQueue } from "../queue/queue.ts";
import { createTaskSignal } from "../queue/task-signal.ts";
import { createDb } from "../store/db.ts";
import { createStreams } from "../stream/streams.ts";
import { must, type Person, patchUpload, recordingLogger, soon, uploadVideo } from "../testing/harness.ts";
import { useEncoder } from "../testing/use-encoder.ts";
import { createWakeups } from "../wakeups.ts";
import { createSettleTurns } from "../worker/settle-turns.ts";
import { removeAbandoned } from "./abandoned-uploads.ts";
import { openFolderUploads } from "./folder-uploads.ts";

const installation = useEncoder();

async function announce(person: Person, bytes: number) {
  const { video, uploadUrl } = await person.encoder.createVideo({ name: "a.mp4", sizeBytes: BigInt(bytes) });
  const { id } = must(video);
  return { id, url: uploadUrl, file: join(installation.dataDir, "encoder/uploads", id) };
}

const head = (url: string, token: string, headers: Record<string, string> = {}) =>
  fetch(url, { method: "HEAD", headers: { authorization: `Bearer ${token}`, "tus-resumable": "1.0.0", ...headers } });

const offsetOf = async (url: string, token: string) => (await head(url, token)).headers.get("upload-offset");
const source = (id: string) => join(installation.dataDir, "encoder/objects/videos", id, "source");
const uploaded = async (person: Person, id: string) => (await person.encoder.getVideo({ id })).video?.uploadedBytes;

/** Begins a PATCH of `announced` bytes on a socket of its own, and sends only `body`. */
function beginPatch(url: string, token: string, offset: number, announced: number, body: Uint8Array) {
  const { port, pathname } = new URL(url);
  const socket = connect(Number(port), "127.0.0.1");
  let answer = "";
  socket.setEncoding("utf8").on("data", (text) => {
    answer += text;
  });
  socket.on("error", () => {});
  socket.write(
    `PATCH ${pathname} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ntus-resumable: 1.0.0\r\n` +
      `content-type: application/offset+octet-stream\r\nupload-offset: ${offset}\r\ncontent-length: ${announced}\r\n\r\n`,
  );
  socket.write(body);
  return { socket, answer: () => answer };
}

describe("an upload", () => {
  it("goes on after a broken connection and a restart of the server, byte by byte the same", async () => {
    const person = installation.encoder.person();
    const body = randomBytes(3_000_000);
    const { id, file, url } = await announce(person, body.length);
    expect(await offsetOf(url, person.token)).toBe("0");

    const { socket } = beginPatch(url, person.token, 0, body.length, body.subarray(0, 1_000_000));
    await expect.poll(async () => (await stat(file)).size, soon).toBe(1_000_000);
    socket.destroy();
    await installation.restart();
    const back = installation.encoder.again(person);
    const again = new URL(new URL(url).pathname, installation.encoder.url).href;
    expect(await uploaded(back, id)).toBe(1_000_000n);
    const asked = await head(again, person.token);
    expect(asked.status).toBe(200);
    expect(asked.headers.get("upload-offset")).toBe("1000000");
    expect(asked.headers.get("upload-length")).toBe("3000000");
    expect(asked.headers.get("cache-control")).toBe("no-store");

    const rest = await patchUpload(again, person.token, 1_000_000, body.subarray(1_000_000));
    expect([rest.status, rest.headers.get("upload-offset")]).toEqual([204, "3000000"]);
    const sha = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
    expect(sha(await readFile(source(id)))).toBe(sha(body));
    await expect(stat(file)).rejects.toThrow("ENOENT");

    // A client whose last answer was lost asks, or repeats itself.
    expect(await offsetOf(again, person.token)).toBe("3000000");
    expect((await patchUpload(again, person.token, 3_000_000, Buffer.alloc(0), { "content-length": "0" })).status).toBe(
      204,
    );
    expect((await patchUpload(again, person.token, 1_000_000, body.subarray(1_000_000))).status).toBe(409);
    expect((await patchUpload(again, person.token, 3_000_000, Buffer.from("more"))).status).toBe(413);
    expect(sha(await readFile(source(id)))).toBe(sha(body));
  });

  it("refuses a wrong offset, and more bytes than were announced", async () => {
    const person = installation.encoder.person();
    const { id, url } = await announce(person, 10);
    for (const offset of ["5", "-1", "x", "1e0"]) {
      const answer = await patchUpload(url, person.token, 0, Buffer.from("12345"), { "upload-offset": offset });
      expect([400, 409], offset).toContain(answer.status);
    }
    expect((await patchUpload(url, person.token, 0, Buffer.from("0123456789a"))).status).toBe(413);
    expect(await uploaded(person, id)).toBe(0n);
    expect((await patchUpload(url, person.token, 0, Buffer.from("01234"))).status).toBe(204);
    // Without a Content-Length nobody knows before it comes.
    const chunked = new ReadableStream({
      async start(controller) {
        for (const part of ["567", "89", "a"]) controller.enqueue(Buffer.from(part));
        controller.close();
      },
    });
    expect((await patchUpload(url, person.token, 5, chunked)).status).toBe(413);
    expect([await offsetOf(url, person.token), await uploaded(person, id)]).toEqual(["5", 5n]);
    const fitting = new ReadableStream({
      start(controller) {
        controller.enqueue(Buffer.from("56789"));
        controller.close();
      },
    });
    expect((await patchUpload(url, person.token, 5, fitting)).status).toBe(204);
    expect(await readFile(source(id), "utf8")).toBe("0123456789");
  });

  it("is written by one request at a time; a newer one takes over", async () => {
    const person = installation.encoder.person();
    const { id, url, file } = await announce(person, 10);
    const stalled = beginPatch(url, person.token, 0, 10, Buffer.from("012"));
    await expect.poll(async () => (await stat(file)).size, soon).toBe(3);
    const [one, two] = await Promise.all([
      patchUpload(url, person.token, 3, Buffer.from("3456789")),
      patchUpload(url, person.token, 3, Buffer.from("abcdefg")),
    ]);
    expect([one.status, two.status].sort()).toEqual([204, 409]);
    expect(["0123456789", "012abcdefg"]).toContain(await readFile(source(id), "utf8"));
    await expect.poll(() => stalled.answer(), soon).toMatch(/^HTTP\/1\.1 204 [\s\S]*\r\nupload-offset: 3\r\n/);
    stalled.socket.destroy();
  });

  it("says that the disk is full, and goes on when there is room again", async () => {
    const person = installation.encoder.person();
    const { id, url, file } = await announce(person, 10);
    // The one full device that every Linux has: writing to it fails with ENOSPC, as on a real full disk.
    await symlink("/dev/full", file);
    const answer = await patchUpload(url, person.token, 0, Buffer.from("0123456789"));
    expect([answer.status, await answer.text()]).toEqual([
      507,
      expect.stringMatching(/disk is full.*goes on from where/),
    ]);
    await rm(file);
    expect(await offsetOf(url, person.token)).toBe("0");
    expect((await patchUpload(url, person.token, 0, Buffer.from("0123456789"))).status).toBe(204);
    expect(await uploaded(person, id)).toBe(10n);
  });

  it("works over HTTP/2 as well", async () => {
    const person = installation.encoder.person();
    const body = randomBytes(500_000);
    const { id, url } = await announce(person, body.length);
    const session = http2.connect(url);
    const call = (method: string, headers: http2.OutgoingHttpHeaders, bytes?: Uint8Array) =>
      new Promise<http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader>((resolve, reject) => {
        const stream = session.request({
          ":method": method,
          ":path": new URL(url).pathname,
          authorization: `Bearer ${person.token}`,
          "tus-resumable": "1.0.0",
          ...headers,
        });
        stream.on("response", resolve).on("error", reject).resume();
        stream.end(bytes);
      });
    const type = { "content-type": "application/offset+octet-stream" };
    expect(await call("HEAD", {})).toMatchObject({ ":status": 200, "upload-offset": "0" });
    expect(await call("PATCH", { ...type, "upload-offset": 7 }, body)).toMatchObject({ ":status": 409 });
    expect(await call("PATCH", { ...type, "upload-offset": 0 }, body.subarray(0, 200_000))).toMatchObject({
      ":status": 204,
      "upload-offset": "200000",
    });
    const reset = session.request({
      ":method": "PATCH",
      ":path": new URL(url).pathname,
      authorization: `Bearer ${person.token}`,
      "tus-resumable": "1.0.0",
      ...type,
      "upload-offset": 200_000,
    });
    reset.on("error", () => {});
    reset.write(body.subarray(200_000, 300_000));
    await expect.poll(() => uploaded(person, id), soon).toBe(300_000n);
    reset.destroy();
    expect(await call("HEAD", {})).toMatchObject({ "upload-offset": "300000" });
    expect(await call("PATCH", { ...type, "upload-offset": 300_000 }, body.subarray(300_000))).toMatchObject({
      ":status": 204,
    });
    expect((await readFile(source(id))).equals(body)).toBe(true);
    session.close();
  });
});

describe("the upload's address", () => {
  it("is its owner's alone", async () => {
    const person = installation.encoder.person();
    const { url } = await announce(person, 10);
    const stranger = installation.encoder.person();
    const bytes = Buffer.from("0123456789");
    const status = async (token: string) => (await patchUpload(url, token, 0, bytes)).status;
    expect([
      await status(stranger.token),
      await status("bad"),
      await status("worker"),
      await status("service"),
    ]).toEqual([404, 401, 403, 403]);
    const anonymous = await fetch(url, { method: "HEAD", headers: { "tus-resumable": "1.0.0" } });
    expect([anonymous.status, anonymous.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
    expect((await head(url, stranger.token)).status).toBe(404);
    expect(await offsetOf(url, person.token)).toBe("0");
  });

  it("answers hostile paths and methods", async () => {
    const { encoder } = installation;
    const person = encoder.person();
    const { id, url } = await announce(person, 10);
    const raw = (method: string, path: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        http
          .request(encoder.url, {
            method,
            path,
            headers: { authorization: `Bearer ${person.token}`, "tus-resumable": "1.0.0" },
          })
          .on("response", (response) => resolve(response.resume().statusCode))
          .on("error", reject)
          .end();
      });
    for (const path of [
      "/uploads/",
      "/uploads/..",
      "/uploads/../objects",
      `/uploads/${id}/`,
      `/uploads/${id}%00`,
      `/uploads/%2e%2e/${id}`,
      `/uploads//${id}`,
      `/uploads/${id.toUpperCase()}x`,
      `/uploads/${crypto.randomUUID()}`,
    ]) {
      expect([path, await raw("HEAD", path)]).toEqual([path, 404]);
    }
    for (const method of ["GET", "POST", "DELETE", "PUT"])
      expect([method, await raw(method, `/uploads/${id}`)]).toEqual([method, 405]);
    const bare = await fetch(url, { method: "HEAD", headers: { authorization: `Bearer ${person.token}` } });
    expect([bare.status, bare.headers.get("tus-version")]).toEqual([412, "1.0.0"]);
    expect((await patchUpload(url, person.token, 0, Buffer.from("x"), { "content-type": "text/plain" })).status).toBe(
      400,
    );
    expect(await offsetOf(url, person.token)).toBe("0");
  });

  it("lets pages of other origins upload", async () => {
    const { url } = await announce(installation.encoder.person(), 10);
    const preflight = await fetch(url, {
      method: "OPTIONS",
      headers: { origin: "https://example.org", "access-control-request-method": "PATCH" },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-origin")).toBe("*");
    expect(preflight.headers.get("access-control-allow-methods")).toContain("PATCH");
    expect(preflight.headers.get("access-control-allow-headers")).toContain("Upload-Offset");
    expect([preflight.headers.get("tus-version"), preflight.headers.get("tus-max-size")]).toEqual([
      "1.0.0",
      String(1024 ** 4),
    ]);
    const refused = await fetch(url, { method: "HEAD", headers: { origin: "https://example.org" } });
    expect(refused.headers.get("access-control-allow-origin")).toBe("*");
    expect(refused.headers.get("access-control-expose-headers")).toContain("Upload-Offset");
  });
});

describe("removeAbandoned", () => {
  it("removes uploads that nothing was sent of for a week, and files of no video", async () => {
    const { database, dataDir, encoder } = installation;
    const person = encoder.person();
    const [old, active, fresh] = [await announce(person, 10), await announce(person, 10), await announce(person, 10)];
    const finished = await uploadVideo(person);
    for (const { url } of [old, active, fresh]) await patchUpload(url, person.token, 0, Buffer.from("abc"));
    await database.pool.query("UPDATE videos SET created_at = now() - interval '8 days' WHERE id = ANY($1::uuid[])", [
      [old.id, active.id, finished],
    ]);
    const weekAgo = new Date(Date.now() - 8 * 24 * 3600 * 1000);
    await utimes(old.file, weekAgo, weekAgo);
    const orphan = join(dataDir, "encoder/uploads", crypto.randomUUID());
    await symlink("/dev/null", orphan);

    const logger = recordingLogger([]);
    const queue = await openQueue({ url: database.url, logger });
    const storage = await openFolderStore({
      folder: join(dataDir, "encoder/objects"),
      secretFile: join(dataDir, "encoder/signing-secret"),
      baseUrl: () => encoder.url,
    });
    const context: Context = {
      db: createDb(database.pool),
      queue,
      storage,
      logger,
      encodeChanged: createWakeups(),
      taskSignal: createTaskSignal(() => {}),
      triesElsewhere: true,
      gpuPatienceSeconds: 0,
      taskPollMs: 1_000,
      streams: createStreams(createDb(database.pool)),
      internalUrl: () => encoder.url,
      sourceUrlSeconds: 60,
      perPersonCap: 10,
      settleTurns: createSettleTurns(1),
      publications: new Map(),
      stopping: new AbortController().signal,
    };
    const uploads = await openFolderUploads(join(dataDir, "encoder/uploads"), storage);
    await removeAbandoned(context, uploads, new Date(), AbortSignal.timeout(30_000));
    await queue.close();
    const { videos } = await person.encoder.listVideos({});
    expect(videos.map(({ id }) => id).sort()).toEqual([active.id, fresh.id, finished].sort());
    await expect.poll(() => uploads.list(), soon).not.toContain(old.id);
    expect(await uploads.list()).not.toContain(orphan);
    expect(await uploads.received(active.id)).toBe(3);
  });
});
