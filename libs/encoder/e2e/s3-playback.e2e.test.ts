import { parseStorageUrl } from "@kinora/storage";
import { type S3Server, startS3Server } from "@kinora/testing";
import { afterAll, describe, expect, it, vi } from "vitest";
import {
  encodeOne,
  leaseEncode,
  must,
  type Person,
  probe,
  soon,
  startEncoder,
  startOne,
  work,
} from "../src/testing/harness.ts";
import { useEncoder } from "../src/testing/use-encoder.ts";

let server: S3Server;
const installation = useEncoder(async (folder) => {
  server = await startS3Server(folder);
  for (const [name, value] of Object.entries(server.env)) vi.stubEnv(name, value);
  return must(parseStorageUrl(server.url("team")));
});
afterAll(() => server?.stop());

/** A finished stream, with the bytes of a segment. */
async function makeStream(person: Person) {
  const { videoId, encodeId } = await startOne(person);
  await probe(installation.encoder.worker);
  const { files } = await encodeOne(installation.encoder.worker);
  const [path, bytes] = must([...files].find(([name]) => name.endsWith("/1.m4s")));
  return { videoId, encodeId, path, bytes: Buffer.from(bytes) };
}

describe("a stream in a bucket", () => {
  it("comes through the encoder, whole and in part", async () => {
    const { videoId, encodeId, path, bytes } = await makeStream(installation.encoder.person());
    const { url } = installation.encoder;
    const master = await fetch(`${url}/videos/${videoId}/master.m3u8`);
    expect([master.status, master.headers.get("content-type")]).toEqual([200, "application/vnd.apple.mpegurl"]);
    const address = `${url}/videos/${videoId}/${encodeId}/${path}`;
    const whole = await fetch(address);
    expect(Buffer.from(await whole.arrayBuffer()).equals(bytes)).toBe(true);
    expect(whole.headers.get("cache-control")).toContain("immutable");
    expect(whole.headers.get("access-control-allow-origin")).toBe("*");
    const part = await fetch(address, { headers: { range: "bytes=10-19" } });
    expect([part.status, part.headers.get("content-range")]).toEqual([206, `bytes 10-19/${bytes.length}`]);
    expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(10, 20))).toBe(true);
    const etag = must(whole.headers.get("etag"));
    expect((await fetch(address, { headers: { "if-none-match": etag } })).status).toBe(304);
    const head = await fetch(address, { method: "HEAD" });
    expect([head.status, head.headers.get("content-length")]).toEqual([200, String(bytes.length)]);
    expect((await fetch(address, { headers: { range: `bytes=${bytes.length}-` } })).status).toBe(416);
    expect((await fetch(address.replace("/1.m4s", "/999.m4s"))).status).toBe(404);
  });

  it("comes from the bucket itself by a redirect, playlists excepted", async () => {
    const { videoId, encodeId, path, bytes } = await makeStream(installation.encoder.person());
    const redirecting = await startEncoder({ ...installation, playbackFrom: "storage" });
    const address = `${redirecting.url}/videos/${videoId}/${encodeId}/${path}`;
    const sent = await fetch(address, { redirect: "manual" });
    expect([sent.status, sent.headers.get("access-control-allow-origin")]).toEqual([302, "*"]);
    expect(sent.headers.get("cache-control")).toBe("public, max-age=3600");
    const location = new URL(must(sent.headers.get("location")));
    expect([location.origin, location.searchParams.get("X-Amz-Expires")]).toEqual([server.endpoint, "21600"]);
    const followed = await fetch(address);
    expect(followed.headers.get("content-type")).toMatch(/^(video|audio)\/mp4$/);
    expect(Buffer.from(await followed.arrayBuffer()).equals(bytes)).toBe(true);
    const part = await fetch(address, { headers: { range: "bytes=0-9" } });
    expect([part.status, (await part.arrayBuffer()).byteLength]).toEqual([206, 10]);
    const master = await fetch(`${redirecting.url}/videos/${videoId}/master.m3u8`, { redirect: "manual" });
    expect(master.status).toBe(200);
    // The video's own address leads to another stream once there is one.
    const ofVideo = await fetch(`${redirecting.url}/videos/${videoId}/${path}`, { redirect: "manual" });
    expect([ofVideo.status, ofVideo.headers.get("cache-control")]).toEqual([302, "public, max-age=5, must-revalidate"]);
    await redirecting.close();
  });

  it("is redirected to for seconds while it grows, since its chunks may be made again, and its playlists are asked for anew", async () => {
    const { worker, person } = installation.encoder;
    const { videoId, encodeId } = await startOne(person(), 4);
    await probe(worker);
    await work(worker, await leaseEncode(worker));
    const redirecting = await startEncoder({ ...installation, playbackFrom: "storage" });
    const cacheOf = async (path: string) => {
      const url = `${redirecting.url}/videos/${videoId}/${encodeId}/${path}`;
      await expect.poll(async () => (await fetch(url, { redirect: "manual" })).status, soon).not.toBe(404);
      const answer = await fetch(url, { redirect: "manual" });
      return [answer.status, answer.headers.get("cache-control")];
    };
    expect(await cacheOf("360p/1.m4s")).toEqual([302, "public, max-age=5, must-revalidate"]);
    expect(await cacheOf("360p/init.mp4")).toEqual([302, "public, max-age=5, must-revalidate"]);
    for (const playlist of ["master.m3u8", "360p/playlist.m3u8", "manifest.mpd"]) {
      expect(await cacheOf(playlist)).toEqual([200, "public, max-age=1, must-revalidate"]);
    }
    await encodeOne(worker);
    await expect.poll(() => cacheOf("360p/1.m4s"), soon).toEqual([302, "public, max-age=3600"]);
    await redirecting.close();
  });

  it("comes from a CDN in front of the bucket, if one is named", async () => {
    const { videoId, encodeId, path } = await makeStream(installation.encoder.person());
    const cdn = await startEncoder({ ...installation, playbackFrom: { url: "https://cdn.example.org/x" } });
    const sent = await fetch(`${cdn.url}/videos/${videoId}/${encodeId}/${path}`, { redirect: "manual" });
    const location = sent.headers.get("location") ?? "";
    expect(location.startsWith(`https://cdn.example.org/x/team/videos/${videoId}/${encodeId}/`)).toBe(true);
    expect(location.endsWith(`/${path}`)).toBe(true);
    await cdn.close();
  });

  it("says that the storage is away, and is there again with it", async () => {
    const person = installation.encoder.person();
    const { videoId, encodeId, path } = await makeStream(person);
    const address = `${installation.encoder.url}/videos/${videoId}/${encodeId}/${path}`;
    await server.stop();
    const away = await fetch(address);
    expect([away.status, await away.text()]).toEqual([503, expect.stringContaining("storage can't be reached")]);
    await server.start();
    expect((await fetch(address)).status).toBe(200);
    expect(installation.encoder.lines.join("\n")).not.toMatch(new RegExp(server.secretAccessKey));
    expect(installation.encoder.lines.join("\n")).not.toMatch(/X-Amz-Signature/i);
  });

  it("leaves nothing in the bucket when it is deleted", async () => {
    const person = installation.encoder.person();
    const { videoId } = await makeStream(person);
    const kept = async () => (await server.list()).filter((file) => file.includes(videoId));
    expect((await kept()).length).toBeGreaterThan(5);
    await person.encoder.deleteVideo({ id: videoId });
    await expect.poll(kept, { timeout: 20_000 }).toEqual([]);
  });
});

describe("an address to write to", () => {
  it("is good for one file of one length and type", async () => {
    const person = installation.encoder.person();
    await startOne(person);
    await probe(installation.encoder.worker);
    const task = await leaseEncode(installation.encoder.worker);
    const files = [{ path: "720p/1.m4s", bytes: 5n }];
    const { uploads, urls } = await installation.encoder.worker.createUploads({ lease: must(task.lease), files });
    expect(urls).toEqual([]);
    const { url, contentType } = must(uploads[0]);
    expect(contentType).toBe("video/mp4");
    const put = async (body: string, type: string) =>
      (await fetch(url, { method: "PUT", body, headers: { "content-type": type } })).status;
    expect([await put("12345", "text/html"), await put("123456", contentType), await put("1234", contentType)]).toEqual(
      [403, 403, 403],
    );
    expect(await put("12345", contentType)).toBe(200);
    expect(url).not.toContain(server.secretAccessKey);
  });
});
