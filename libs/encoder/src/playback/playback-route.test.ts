import http from "node:http";
import http2 from "node:http2";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { encodeOne, must, probe, startOne } from "../testing/harness.ts";
import { useEncoder } from "../testing/use-encoder.ts";

const installation = useEncoder();
let base: string;
let videoId: string;
let encodeId: string;
let files: Map<string, Uint8Array>;

beforeAll(async () => {
  const { encoder } = installation;
  ({ videoId, encodeId } = await startOne(encoder.person()));
  await probe(encoder.worker);
  ({ files } = await encodeOne(encoder.worker));
  base = `${encoder.url}/videos/${videoId}`;
});

const get = (path: string, headers: Record<string, string> = {}, method = "GET") =>
  fetch(`${base}/${path}`, { headers, method });
const bytesOf = async (answer: Response) => Buffer.from(await answer.arrayBuffer());
const file = (path: string) => Buffer.from(must(files.get(path)));

describe("playback", () => {
  it("leads from master and manifest to every segment, by addresses that never change", async () => {
    const master = await get("master.m3u8");
    expect([master.status, master.headers.get("content-type")]).toEqual([200, "application/vnd.apple.mpegurl"]);
    expect(master.headers.get("cache-control")).toBe("public, max-age=5, must-revalidate");
    const lists = [...(await master.text()).matchAll(/^(?:.*URI="([^"]+)"|([^#\s].*))$/gm)].map(([, a, b]) =>
      must(a ?? b),
    );
    const names = ["240p/iframes", "240p/playlist", "360p/iframes", "360p/playlist", "audio/playlist"];
    expect(lists.sort()).toEqual(names.map((name) => `${encodeId}/${name}.m3u8`));
    const seen = new Set<string>();
    for (const list of lists) {
      const answer = await get(list);
      expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "application/vnd.apple.mpegurl"]);
      for (const [, a, b] of (await answer.text()).matchAll(/^(?:.*URI="([^"]+)"|([^#\s].*))$/gm)) {
        const path = new URL(must(a ?? b), `${base}/${list}`).pathname.slice(`/videos/${videoId}/`.length);
        const segment = await get(path);
        expect(segment.headers.get("content-type")).toBe(path.includes("/audio/") ? "audio/mp4" : "video/mp4");
        expect(segment.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
        const name = path.slice(encodeId.length + 1);
        expect((await bytesOf(segment)).equals(file(name)), name).toBe(true);
        seen.add(name);
      }
    }
    expect([...seen].sort()).toEqual([...files.keys()].filter((name) => name !== "poster.jpg").sort());

    const manifest = await get("manifest.mpd");
    expect([manifest.status, manifest.headers.get("content-type")]).toEqual([200, "application/dash+xml"]);
    expect(await manifest.text()).toContain(`<BaseURL>${encodeId}/</BaseURL>`);
    const own = await get(`${encodeId}/manifest.mpd`);
    expect(await own.text()).not.toContain("BaseURL");
    expect(await (await get(`${encodeId}/master.m3u8`)).text()).toContain("\n360p/playlist.m3u8");
    const poster = await get("poster.jpg");
    expect([poster.status, poster.headers.get("content-type")]).toEqual([200, "image/jpeg"]);
    expect((await bytesOf(poster)).equals(file("poster.jpg"))).toBe(true);
  });

  it("serves the published stream under the video's own addresses as well, to be asked for again", async () => {
    for (const path of ["360p/playlist.m3u8", "360p/init.mp4", "audio/2.m4s"]) {
      const answer = await get(path);
      expect([path, answer.status, answer.headers.get("cache-control")]).toEqual([
        path,
        200,
        "public, max-age=5, must-revalidate",
      ]);
      const unchanged = await get(path, { "if-none-match": must(answer.headers.get("etag")) });
      expect([unchanged.status, (await bytesOf(unchanged)).length]).toEqual([304, 0]);
    }
  });

  it("has a page that plays it, made of nothing from elsewhere, and tells it how far the video is", async () => {
    const page = await fetch(base);
    expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
    const text = await page.text();
    expect(text).toContain(`data-video="/videos/${videoId}/"`);
    expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
    const [script = ""] = /<script src="([^"]+)"/.exec(text)?.slice(1) ?? [];
    const player = await fetch(new URL(script, base));
    expect([player.status, player.headers.get("content-type")]).toEqual([200, "text/javascript; charset=utf-8"]);
    expect(await player.text()).toContain("Hls");

    const status = await get("status.json");
    expect(status.headers.get("cache-control")).toBe("public, max-age=1, must-revalidate");
    expect(await status.json()).toMatchObject({ state: "ready", fraction: 1, stream: encodeId });

    const missing = await fetch(base.replace(videoId, crypto.randomUUID()));
    expect([missing.status, missing.headers.get("content-type")]).toEqual([404, "text/html; charset=utf-8"]);
    expect((await fetch(`${base.replace(videoId, crypto.randomUUID())}/status.json`)).status).toBe(404);
  });

  it("has a page and a status while there is no stream", async () => {
    const started = await startOne(installation.encoder.person());
    const other = base.replace(videoId, started.videoId);
    expect((await fetch(other)).status).toBe(200);
    expect(await (await fetch(`${other}/status.json`)).json()).toEqual({
      state: "waiting",
      fraction: 0,
      speed: 0,
      tracks: [],
      durationSeconds: 0,
      stream: "",
      streamSince: "",
      poster: false,
      storyboard: false,
    });
    expect((await fetch(`${other}/master.m3u8`)).status).toBe(404);
  });

  it("asks the database about a video no more often for a crowd that looks at its page", async () => {
    const started = await startOne(installation.encoder.person());
    const asked = vi.spyOn(installation.database.pool, "query");
    try {
      const url = `${base.replace(videoId, started.videoId)}/status.json`;
      const answers = await Promise.all(Array.from({ length: 500 }, async () => (await fetch(url)).json()));
      expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
      const about = asked.mock.calls.filter(([, values]) => JSON.stringify(values ?? "").includes(started.videoId));
      // Some five questions for each second that it takes.
      expect(about.length).toBeGreaterThan(0);
      expect(about.length).toBeLessThan(100);
    } finally {
      asked.mockRestore();
    }
  });

  it("knows ranges and HEAD", async () => {
    const whole = file("360p/1.m4s");
    const part = await get("360p/1.m4s", { range: "bytes=10-19" });
    expect([part.status, part.headers.get("content-range")]).toEqual([206, `bytes 10-19/${whole.length}`]);
    expect((await bytesOf(part)).equals(whole.subarray(10, 20))).toBe(true);
    const beyond = await get("360p/1.m4s", { range: `bytes=${whole.length}-` });
    expect([beyond.status, beyond.headers.get("content-range")]).toEqual([416, `bytes */${whole.length}`]);
    const head = await get("360p/1.m4s", {}, "HEAD");
    expect([head.status, head.headers.get("content-length"), (await bytesOf(head)).length]).toEqual([
      200,
      String(whole.length),
      0,
    ]);
  });

  it("may be embedded by pages of any origin", async () => {
    const answer = await get("master.m3u8", { origin: "https://example.org" });
    expect(answer.headers.get("access-control-allow-origin")).toBe("*");
    expect(answer.headers.get("access-control-expose-headers")).toContain("Content-Range");
    const preflight = await get("360p/1.m4s", { origin: "https://example.org" }, "OPTIONS");
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-headers")).toContain("Range");
    expect((await get("nothing.m3u8")).headers.get("access-control-allow-origin")).toBe("*");
  });

  it("works over HTTP/2 as well", async () => {
    const session = http2.connect(installation.encoder.url);
    const call = (path: string, headers: http2.OutgoingHttpHeaders) =>
      new Promise<{ status: unknown; body: Buffer }>((resolve, reject) => {
        const stream = session.request({ ":path": `/videos/${videoId}/${path}`, ...headers });
        const chunks: Buffer[] = [];
        let status: unknown;
        stream.on("response", (answer) => {
          status = answer[":status"];
        });
        stream.on("data", (chunk: Buffer) => chunks.push(chunk));
        stream.on("end", () => resolve({ status, body: Buffer.concat(chunks) })).on("error", reject);
      });
    const whole = file("360p/1.m4s");
    expect(await call("360p/1.m4s", {})).toEqual({ status: 200, body: whole });
    expect(await call("360p/1.m4s", { range: "bytes=-5" })).toEqual({ status: 206, body: whole.subarray(-5) });
    expect(await call("360p/1.m4s", { ":method": "HEAD" })).toMatchObject({ status: 200, body: Buffer.alloc(0) });
    session.close();
  });

  it("never leads anywhere else", async () => {
    const raw = (path: string, method = "GET") =>
      new Promise<number | undefined>((resolve, reject) => {
        http
          .request(installation.encoder.url, { path, method })
          .on("response", (response) => resolve(response.resume().statusCode))
          .on("error", reject)
          .end();
      });
    const other = crypto.randomUUID();
    for (const path of [
      `/videos/${other}`,
      `/videos/${videoId}/`,
      `/videos/${videoId}/source`,
      `/videos/${videoId}/video-master.m3u8`,
      `/videos/${videoId}/${encodeId}/1/360p/1.m4s`,
      `/videos/${videoId}/${other}/master.m3u8`,
      `/videos/${other}/master.m3u8`,
      `/videos/${other}/${encodeId}/master.m3u8`,
      `/videos/${videoId}/360p/99.m4s`,
      `/videos/${videoId}/999p/1.m4s`,
      `/videos/${videoId}/360p/../source`,
      `/videos/${videoId}/360p/..%2f..%2fsource`,
      `/videos/..%2f..%2fsigning-secret`,
      "/videos/../../signing-secret",
      "/videos/",
    ]) {
      expect([path, await raw(path)]).toEqual([path, 404]);
    }
    expect(await raw(`/videos/${videoId}/master.m3u8`, "POST")).toBe(405);
    expect(await raw(`/videos/${videoId}/master.m3u8?x=../..`)).toBe(200);
  });
});
