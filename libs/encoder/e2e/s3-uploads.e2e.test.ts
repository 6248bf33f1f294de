import { randomBytes } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import { createClient } from "@connectrpc/connect";
import { UploadService, VideoState } from "@kinora/proto-encoder";
import { createClientTransport } from "@kinora/rpc";
import { parseStorageUrl } from "@kinora/storage";
import { type S3Server, startS3Server } from "@kinora/testing";
import { afterAll, describe, expect, it, vi } from "vitest";
import { type Harness, must, type Person, patchUpload, soon, startEncoder } from "../src/testing/harness.ts";
import { useEncoder } from "../src/testing/use-encoder.ts";

let server: S3Server;
const installation = useEncoder(async (folder) => {
  server = await startS3Server(folder);
  for (const [name, value] of Object.entries(server.env)) vi.stubEnv(name, value);
  return must(parseStorageUrl(server.url("team")));
});
afterAll(() => server?.stop());

const mebibyte = 1024 * 1024;

const transports: { close(): void }[] = [];
afterAll(() => {
  for (const transport of transports) transport.close();
});

function uploadClient({ token }: Person) {
  const transport = createClientTransport({ baseUrl: installation.encoder.url, token });
  transports.push(transport);
  return createClient(UploadService, transport);
}

async function announce(person: Person, bytes: number) {
  const { video, uploadUrl } = await person.encoder.createVideo({ name: "a.mp4", sizeBytes: BigInt(bytes) });
  return { id: must(video).id, url: uploadUrl };
}

/** The same address at another replica. */
const at = (url: string, encoder: Harness) => new URL(new URL(url).pathname, encoder.url).href;

async function offsetOf(url: string, token: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}`, "tus-resumable": "1.0.0" };
  return Number((await fetch(url, { method: "HEAD", headers })).headers.get("upload-offset"));
}

/** What the server keeps whose name contains a text. */
const files = async (match: string) => (await server.list()).filter((path) => path.includes(match));

async function sourceOf(id: string): Promise<Buffer | undefined> {
  const context = must(installation.s3);
  const { openS3Store } = await import("@kinora/storage");
  const store = await openS3Store(context);
  try {
    const object = await store.get(`videos/${id}/source`);
    return object && Buffer.concat(await Array.fromAsync(object.body));
  } finally {
    store.close();
  }
}

/** Begins a PATCH, sends `body` of the `announced` bytes, and stays silent. */
async function beginPatch(url: string, token: string, offset: number, announced: number, body: Uint8Array) {
  const request = http.request(url, {
    method: "PATCH",
    headers: {
      authorization: `Bearer ${token}`,
      "tus-resumable": "1.0.0",
      "content-type": "application/offset+octet-stream",
      "upload-offset": offset,
      "content-length": announced,
    },
  });
  request.on("error", () => {});
  const answer = once(request, "response").then(([response]: http.IncomingMessage[]) => response?.statusCode);
  answer.catch(() => {});
  if (!request.write(body)) await once(request, "drain");
  return { request, answer };
}

describe("an upload into an S3 server", () => {
  it("arrives in one request, byte by byte the same", async () => {
    const person = installation.encoder.person();
    const body = randomBytes(20 * mebibyte + 12_345);
    const { id, url } = await announce(person, body.length);
    const answer = await patchUpload(url, person.token, 0, body);
    expect([answer.status, answer.headers.get("upload-offset")]).toEqual([204, String(body.length)]);
    expect((await sourceOf(id))?.equals(body)).toBe(true);
    expect((await person.encoder.getVideo({ id })).video?.state).toBe(VideoState.UPLOADED);
    expect(await files(id)).toEqual([`kinora/team/videos/${id}/source`]);
    expect(await offsetOf(url, person.token)).toBe(body.length);
  });

  it("arrives in requests of any length", async () => {
    const person = installation.encoder.person();
    const body = randomBytes(18 * mebibyte);
    const { id, url } = await announce(person, body.length);
    const cuts = [
      0,
      1,
      1000,
      3 * mebibyte,
      8 * mebibyte,
      8 * mebibyte + 7,
      16 * mebibyte - 1,
      17 * mebibyte,
      body.length,
    ];
    for (const [index, from] of cuts.slice(0, -1).entries()) {
      const answer = await patchUpload(url, person.token, from, body.subarray(from, cuts[index + 1]));
      expect([from, answer.status]).toEqual([from, 204]);
      expect(await offsetOf(url, person.token)).toBe(cuts[index + 1]);
    }
    expect((await sourceOf(id))?.equals(body)).toBe(true);
    expect(await files(id)).toEqual([`kinora/team/videos/${id}/source`]);
  });

  it("goes on after a broken connection at another replica, where it stopped", async () => {
    const other = await startEncoder(installation);
    const person = installation.encoder.person();
    const body = randomBytes(12 * mebibyte);
    const { id, url } = await announce(person, body.length);
    const cut = 9 * mebibyte + 321;
    const { request } = await beginPatch(url, person.token, 0, body.length, body.subarray(0, cut));
    await expect
      .poll(async () => (await person.encoder.getVideo({ id })).video?.uploadedBytes, soon)
      .toBe(BigInt(8 * mebibyte));
    request.destroy();
    const again = at(url, other);
    await expect.poll(() => offsetOf(again, person.token), soon).toBeGreaterThan(8 * mebibyte);
    const offset = await offsetOf(again, person.token);
    expect(offset).toBeLessThanOrEqual(cut);
    expect((await patchUpload(again, person.token, offset, body.subarray(offset))).status).toBe(204);
    expect((await sourceOf(id))?.equals(body)).toBe(true);
    await other.close();
  });

  it("is written by one request at a time, whichever replica has it; a newer one takes over", async () => {
    const other = await startEncoder(installation);
    const person = installation.encoder.person();
    const body = randomBytes(10 * mebibyte);
    const { id, url } = await announce(person, body.length);
    const stalled = await beginPatch(url, person.token, 0, body.length, body.subarray(0, 1000));
    const again = at(url, other);
    // The lock is taken over, and what the silent request had sent is kept.
    await expect.poll(() => offsetOf(again, person.token), soon).toBe(1000);
    expect(await stalled.answer).toBe(204);
    const [one, two] = await Promise.all([
      patchUpload(again, person.token, 1000, body.subarray(1000)),
      patchUpload(url, person.token, 1000, body.subarray(1000)),
    ]);
    expect([one.status, two.status].sort()).toEqual([204, expect.toBeOneOf([409, 413])]);
    // Whoever came second has asked the other to stop, on a slow machine before all was sent. What has arrived is right in any case.
    const offset = await offsetOf(again, person.token);
    if (offset < body.length) await patchUpload(again, person.token, offset, body.subarray(offset));
    expect((await sourceOf(id))?.equals(body)).toBe(true);
    stalled.request.destroy();
    await other.close();
  });

  it("undoes a request that brings more bytes than were announced", async () => {
    const person = installation.encoder.person();
    const body = randomBytes(9 * mebibyte);
    const { id, url } = await announce(person, body.length);
    expect((await patchUpload(url, person.token, 0, body.subarray(0, 5))).status).toBe(204);
    const tooMuch = new ReadableStream({
      start(controller) {
        controller.enqueue(body.subarray(5));
        controller.enqueue(Buffer.from("more"));
        controller.close();
      },
    });
    expect((await patchUpload(url, person.token, 5, tooMuch)).status).toBe(413);
    expect(await offsetOf(url, person.token)).toBe(5);
    expect((await patchUpload(url, person.token, 5, body.subarray(5))).status).toBe(204);
    expect((await sourceOf(id))?.equals(body)).toBe(true);
  });

  it("takes empty videos", async () => {
    const person = installation.encoder.person();
    const { id } = await announce(person, 0);
    expect(await sourceOf(id)).toEqual(Buffer.alloc(0));
  });

  it("waits while the server is away, and goes on when it is back", async () => {
    const person = installation.encoder.person();
    const body = randomBytes(9 * mebibyte);
    const { id, url } = await announce(person, body.length);
    expect((await patchUpload(url, person.token, 0, body.subarray(0, 1000))).status).toBe(204);
    await server.stop();
    const answer = await patchUpload(url, person.token, 1000, body.subarray(1000));
    expect([answer.status, await answer.text()]).toEqual([503, expect.stringContaining("Send the rest again")]);
    expect(await offsetOf(url, person.token)).toBe(1000);
    await server.start();
    expect((await patchUpload(url, person.token, 1000, body.subarray(1000))).status).toBe(204);
    expect((await sourceOf(id))?.equals(body)).toBe(true);
  });

  it("begins again if the server has lost its parts", async () => {
    const person = installation.encoder.person();
    const body = randomBytes(9 * mebibyte);
    const { id, url } = await announce(person, body.length);
    expect((await patchUpload(url, person.token, 0, body.subarray(0, 8 * mebibyte))).status).toBe(204);
    await installation.database.pool.query("UPDATE upload_parts SET etag = '\"0\"' WHERE video_id = $1", [id]);
    await patchUpload(url, person.token, 8 * mebibyte, body.subarray(8 * mebibyte));
    expect(await offsetOf(url, person.token)).toBe(0);
    expect((await patchUpload(url, person.token, 0, body)).status).toBe(204);
    expect((await sourceOf(id))?.equals(body)).toBe(true);
  });

  it("leaves nothing behind when its video is deleted", async () => {
    const person = installation.encoder.person();
    const { id, url } = await announce(person, 20 * mebibyte);
    expect((await patchUpload(url, person.token, 0, randomBytes(9 * mebibyte))).status).toBe(204);
    const before = await installation.database.pool.query("SELECT FROM uploads WHERE video_id = $1", [id]);
    expect([before.rowCount, (await files(id)).length]).toEqual([1, 1]);
    await person.encoder.deleteVideo({ id });
    const rows = () => installation.database.pool.query("SELECT FROM uploads WHERE video_id = $1", [id]);
    await expect.poll(async () => (await rows()).rowCount, soon).toBe(0);
    expect(await files(id)).toEqual([]);
  });
});

describe("an abandoned upload", () => {
  it("is removed after a week, with its parts; one that goes on isn't", async () => {
    const person = installation.encoder.person();
    const [old, active] = [await announce(person, 20 * mebibyte), await announce(person, 20 * mebibyte)];
    for (const { url } of [old, active]) await patchUpload(url, person.token, 0, randomBytes(9 * mebibyte));
    const { pool } = installation.database;
    await pool.query("UPDATE videos SET created_at = now() - interval '8 days' WHERE id = ANY($1::uuid[])", [
      [old.id, active.id],
    ]);
    await pool.query("UPDATE uploads SET touched_at = now() - interval '8 days' WHERE video_id = $1", [old.id]);
    const uploads = async () => {
      const ids = [old.id, active.id];
      const { rows } = await pool.query<{ video_id: string }>("SELECT video_id FROM uploads WHERE video_id = ANY($1)", [
        ids,
      ]);
      return rows.map((row) => row.video_id);
    };
    await installation.restart(); // it looks at the start, and every hour
    await expect.poll(uploads, soon).toEqual([active.id]);
    await expect.poll(() => files(old.id), soon).toEqual([]);
    expect((await files(active.id)).length).toBe(1);
  });
});

describe("an upload straight to the S3 server", () => {
  it("brings parts in any order, again if need be, and is complete when all are there", async () => {
    const person = installation.encoder.person();
    const direct = uploadClient(person);
    const body = randomBytes(20 * mebibyte);
    const { id } = await announce(person, body.length);
    const { partBytes, totalParts, parts } = await direct.createUploadParts({ videoId: id, firstPart: 1 });
    expect([Number(partBytes), totalParts, parts.map(({ bytes }) => Number(bytes))]).toEqual([
      8 * mebibyte,
      3,
      [8 * mebibyte, 8 * mebibyte, 4 * mebibyte],
    ]);
    const put = async (number: number) => {
      const part = must(parts[number - 1]);
      const from = (number - 1) * Number(partBytes);
      const bytes = body.subarray(from, from + Number(part.bytes));
      expect((await fetch(part.url, { method: "PUT", body: bytes })).status).toBe(200);
      // The refusal comes before all bytes are sent, so the connection may end first.
      const other = fetch(part.url, { method: "PUT", body: bytes.subarray(1) });
      expect(await other.then(({ status }) => status).catch(() => 403)).toBe(403);
    };
    await put(3);
    await put(1);
    expect((await direct.listUploadedParts({ videoId: id })).parts).toEqual([1, 3]);
    await expect(direct.completeUpload({ videoId: id })).rejects.toThrow("1 are missing or have another length: 2.");
    expect((await person.encoder.getVideo({ id })).video?.state).toBe(VideoState.UPLOADING);
    await put(2);
    await put(1);
    await direct.completeUpload({ videoId: id });
    await direct.completeUpload({ videoId: id });
    expect((await sourceOf(id))?.equals(body)).toBe(true);
    expect((await person.encoder.getVideo({ id })).video?.state).toBe(VideoState.UPLOADED);
    expect(await files(id)).toEqual([`kinora/team/videos/${id}/source`]);
    await expect(direct.createUploadParts({ videoId: id, firstPart: 1 })).rejects.toThrow(/upload is complete/);
    const stranger = uploadClient(installation.encoder.person());
    await expect(stranger.createUploadParts({ videoId: id, firstPart: 1 })).rejects.toThrow(/There is no video/);
  });
});
