import { randomBytes, randomUUID } from "node:crypto";
import { inspect } from "node:util";
import { type S3Server, startS3Server, temporaryFolder } from "@kinora/testing";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { StorageUnavailableError } from "../src/object-store.ts";
import { openS3Store, type S3Store } from "../src/s3/s3-store.ts";
import { parseStorageUrl } from "../src/s3/storage-url.ts";
import { describeSigned, describeStore } from "../src/testing/conformance.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: S3Server;
const opened: S3Store[] = [];

/** An empty store: each has a prefix of its own. */
async function open(url = server.url(`test/${randomUUID()}`)): Promise<S3Store> {
  const settings = parseStorageUrl(url);
  if (settings === undefined) throw new Error(`not a storage URL: ${url}`);
  const store = await openS3Store(settings);
  opened.push(store);
  return store;
}

beforeAll(async () => {
  folder = await temporaryFolder();
  server = await startS3Server(folder.path);
  vi.stubEnv("AWS_ACCESS_KEY_ID", server.accessKeyId);
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", server.secretAccessKey);
}, 600_000);

afterAll(async () => {
  for (const store of opened) store.close();
  await server?.stop();
  await folder?.remove();
});

describeStore("a bucket of an S3 server", open);
describeSigned("a bucket of an S3 server", open);

describe("an S3 store", () => {
  it("writes in parts what somebody else sends, and nobody sees it before it is complete", async () => {
    const store = await open();
    const { multipart } = store;
    const key = store.bucketKey("videos/v/source");
    const id = await multipart.begin(key, "video/mp4");
    const [first, last] = [randomBytes(5 * 1024 * 1024), randomBytes(1000)];
    await multipart.put(key, id, 2, last);
    const url = await multipart.sign(key, id, { number: 1, bytes: first.length }, 60);
    // The server refuses it by its head and may hang up before it has read the body, so that there is no answer to read.
    const refusal = fetch(url, { method: "PUT", body: first.subarray(1) }).then(({ status }) => status);
    expect(await refusal.catch((error) => error.cause?.code)).toBeOneOf([403, "ECONNRESET", "EPIPE", "UND_ERR_SOCKET"]);
    expect((await multipart.list(key, id))?.map(({ number }) => number)).toEqual([2]);
    expect((await fetch(url, { method: "PUT", body: first })).status).toBe(200);
    const parts = await multipart.list(key, id);
    expect(parts?.map(({ number, bytes }) => [number, bytes])).toEqual([
      [1, first.length],
      [2, last.length],
    ]);
    expect(await store.stat("videos/v/source")).toBeUndefined();
    expect(await multipart.complete(key, id, parts ?? [])).toMatch(/^"/);
    expect(await store.stat("videos/v/source")).toMatchObject({ bytes: first.length + last.length });
    expect(await multipart.list(key, id)).toBeUndefined();
  });

  it("removes unfinished uploads with their prefix", async () => {
    const store = await open();
    const key = store.bucketKey("videos/v/source");
    const other = store.bucketKey("videos/w/source");
    const [id, otherId] = [await store.multipart.begin(key, "x/y"), await store.multipart.begin(other, "x/y")];
    await store.multipart.put(key, id, 1, randomBytes(1000));
    await store.deletePrefix("videos/v/");
    expect(await store.multipart.list(key, id)).toBeUndefined();
    expect(await store.multipart.list(other, otherId)).toEqual([]);
    await store.multipart.abort(other, otherId);
    await store.multipart.abort(other, otherId);
  });

  it("gives addresses at the public endpoint", async () => {
    const inside = server.url("x");
    const store = await open(
      `${inside}&public-endpoint=${encodeURIComponent(server.endpoint.replace("127.0.0.1", "localhost"))}`,
    );
    await store.put("a", "hello");
    const url = await store.sign("a", { method: "GET", expiresInSeconds: 60, contentType: "text/x-hello" });
    expect(new URL(url).hostname).toBe("localhost");
    const answer = await fetch(url);
    expect([await answer.text(), answer.headers.get("content-type")]).toEqual(["hello", "text/x-hello"]);
  });

  it("says what is set up wrong, and never its secret", async () => {
    await expect(open(server.url().replace("kinora", "other"))).rejects.toThrow(/bucket of STORAGE_URL doesn't exist/);
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "wrong-secret-that-nobody-should-see");
    const fault: unknown = await open().catch((error: unknown) => error);
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", server.secretAccessKey);
    expect(fault).toBeInstanceOf(StorageUnavailableError);
    expect(String(fault)).toMatch(/check AWS_SECRET_ACCESS_KEY/);
    expect(inspect(fault, { depth: 10, showHidden: true })).not.toMatch(/wrong-secret|Signature=/);
  });

  it("says that the server is away, and works again when it is back", async () => {
    const store = await open();
    await store.put("a", "hello");
    await server.stop();
    const fault: unknown = await store.stat("a").catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(StorageUnavailableError);
    expect(String(fault)).toMatch(/can't be reached \(ECONNREFUSED\)/);
    await server.start();
    expect(await store.stat("a")).toMatchObject({ bytes: 5 });
  });
});
