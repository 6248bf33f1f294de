import { createReadStream } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { makeMedia } from "@kinora/media/testing";
import { type NodeProcess, realVideos, sampleVideo, waitUntil } from "@kinora/testing";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { browserFile, faultsOf, openBrowser, withoutBrowser } from "./support/browser.ts";
import { createInstallation, type Installation } from "./support/installation.ts";

type Status = { state: string; stream: string; fraction: number };
type Video = { id: string; name: string };

/** Length of the video that is watched while it is encoded: its chunks take several rounds of one worker. */
const seconds = 60;

if (withoutBrowser !== undefined) console.warn(`The player isn't tried: there is ${withoutBrowser}.`);

describe.skipIf(browserFile === undefined)("the page of a video, in a browser", () => {
  let kinora: Installation;
  let browser: Browser;
  let token: string;
  let worker: NodeProcess | undefined;

  beforeAll(async () => {
    kinora = await createInstallation("services", { WORKER_SLOTS: "1" });
    await Promise.all([kinora.start("user"), kinora.start("encoder")]);
    token = (await kinora.kinora("token")).stdout.trim();
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await kinora?.[Symbol.asyncDispose]();
  });

  const call = async <T>(method: string, body: object): Promise<T> => {
    const answer = await fetch(`${kinora.encoderUrl}/encoder.v1.EncoderService/${method}`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${method}: ${await answer.text()}`);
    return (await answer.json()) as T;
  };
  /** Begins to encode a file; the video's id once its bytes are there. */
  const begin = async (file: string, name: string): Promise<string> => {
    void kinora.startKinora("encode", file);
    let found: Video | undefined;
    await waitUntil("the video is there", async () => {
      const { videos } = await call<{ videos?: (Video & { state: string })[] }>("ListVideos", {});
      found = videos?.find((video) => video.name === name && video.state === "VIDEO_STATE_UPLOADED");
      return found !== undefined;
    });
    return found?.id ?? "";
  };
  const startWorker = async () => {
    await worker?.stop("SIGTERM");
    worker = await kinora.start("encoder-worker");
  };
  const pageOf = (id: string) => `${kinora.encoderUrl}/videos/${id}`;
  const statusOf = async (id: string) => (await (await fetch(`${pageOf(id)}/status.json`)).json()) as Status;
  // A busy machine encodes slower than it plays.
  const untilWhole = (id: string) =>
    waitUntil("it is whole", async () => (await statusOf(id)).state === "ready", 200_000);

  it("waits, plays from the beginning while the rest is encoded, and goes over to the whole stream by itself", async () => {
    const source = kinora.path("long.mp4");
    await makeMedia({
      path: source,
      flash: [5, 6],
      video: { codec: "libx264", width: 640, height: 360, frameRate: { num: 24, den: 1 }, frames: seconds * 24 },
      audio: { codec: "aac", sampleRate: 48_000, channels: 2, seconds },
    });
    const id = await begin(source, "long.mp4");
    const page = await browser.newPage();
    const faults = faultsOf(page);
    await page.goto(pageOf(id));
    const notice = page.getByRole("status");
    await notice.getByText("waits for a worker").waitFor();
    expect(await page.locator("video").isVisible()).toBe(false);

    // A worker that leaves when it has made the beginning.
    await startWorker();
    await waitUntil("the beginning can be played", async () => (await statusOf(id)).stream !== "");
    await worker?.stop("SIGTERM");
    await page.getByRole("button", { name: "Play", exact: true }).click();
    await page.evaluate("document.querySelector('video').playbackRate = 4; window.stayed = true");
    await until(page, "video.currentTime > 1");
    // A worker that ends in a hurry leaves its lease to expire.
    await waitUntil("nobody works on it", async () => (await statusOf(id)).state === "waiting");
    expect((await statusOf(id)).fraction).toBeLessThan(0.9);

    // All that there is has been played, and it says what it waits for.
    await notice.getByText("The rest isn't encoded yet").waitFor();
    const edge = await read<number>(page, "video.seekable.end(0)");
    expect(edge).toBeLessThan(seconds - 5);
    expect(await page.locator(".time").textContent()).toContain("/ 1:00");
    await startWorker();
    await until(page, `video.seekable.end(0) > ${edge} && video.currentTime > ${edge}`);

    await untilWhole(id);
    await until(page, `Math.abs(video.duration - ${seconds}) < 0.1`);
    await until(page, "video.ended");
    expect(await read<number>(page, "video.currentTime")).toBeCloseTo(seconds, 0);
    expect(await notice.textContent()).toBe("");

    // Back to the beginning, by the keyboard alone.
    await page.keyboard.press("Home");
    await page.keyboard.press("k");
    await until(page, "video.currentTime > 0.5 && video.currentTime < 30 && !video.paused");
    expect(await read<boolean>(page, "window.stayed")).toBe(true);
    expect(faults).toEqual([]);
    await page.close();
  }, 240_000);

  it("plays a real video while it is encoded, and never stands where there is more of it", async () => {
    await startWorker();
    const source = realVideos().find((path) => path.includes("sintel_trailer")) ?? sampleVideo;
    const id = await begin(source, basename(source));
    const page = await browser.newPage();
    const faults = faultsOf(page);
    await page.goto(pageOf(id));
    await page.getByRole("button", { name: "Play", exact: true }).click();
    await until(page, "video.currentTime > 0");
    // Faster than it is encoded, so that it comes to the edge again and again.
    await page.evaluate(watchStalls);
    await page.evaluate("document.querySelector('video').playbackRate = 4");
    await untilWhole(id);
    await until(page, "video.ended");
    const { edges, longest } = await read<{ edges: number; longest: number }>(page, "window.stalls");
    console.log(`the edge was reached ${edges} times; it stood for ${longest} ms at most where there was more`);
    // Against standing for good, which a player's own watchdogs end after several seconds: not for timing.
    expect(longest).toBeLessThan(mostStallMs);
    expect(faults).toEqual([]);
    await page.close();
  }, 240_000);

  it("loads the stream anew that its encode has begun anew, and says what it waits for until then", async () => {
    await startWorker();
    const id = await begin(sampleVideo, "sintel-trailer.mp4");
    await untilWhole(id);
    const page = await browser.newPage();
    // It grows, as far as the page can see.
    const tell = async (change: object) => {
      await page.unroute("**/status.json");
      await page.route("**/status.json", async (route) => {
        const status = (await (await route.fetch()).json()) as Status;
        await route.fulfill({ json: { ...status, state: "encoding", fraction: 0.5, ...change } });
      });
    };
    await tell({ streamSince: "2026-01-01T00:00:00Z" });
    await page.goto(pageOf(id));
    await page.getByRole("button", { name: "Play", exact: true }).click();
    await until(page, "video.currentTime > 0.5");
    await page.evaluate("window.stayed = true");
    // Its stream is withdrawn, and another one comes to the same address.
    await page.route("**/*.m3u8", (route) => route.fulfill({ status: 404 }));
    await tell({ state: "waiting", stream: "", streamSince: "" });
    await page.getByRole("status").getByText("is encoded anew").waitFor();
    expect(await read<boolean>(page, "window.stayed")).toBe(true);
    await page.unroute("**/*.m3u8");
    await tell({ streamSince: "2026-01-01T00:10:00Z" });
    await until(page, "window.stayed === undefined && video?.seekable.length > 0");
    expect(await page.getByRole("status").textContent()).toContain("plays from the beginning");
    await page.getByRole("button", { name: "Play", exact: true }).click();
    await until(page, "video.currentTime > 0.5");
    await page.close();
  });

  describe("of a whole stream", () => {
    let id: string;
    beforeAll(async () => {
      await startWorker();
      id = await begin(sampleVideo, "sintel-trailer.mp4");
      await untilWhole(id);
    });

    it("shows pictures above the seek bar, qualities, and goes where it is told", async () => {
      const page = await browser.newPage();
      const faults = faultsOf(page);
      await page.goto(pageOf(id));
      await until(page, "video.duration > 11 && video.poster !== ''");
      await page.waitForLoadState("networkidle");
      const seek = page.getByRole("slider", { name: "Seek" });
      const box = (await seek.boundingBox()) ?? fail("the seek bar");
      const picture = page.locator(".picture");
      const placeAt = async (part: number) => {
        await page.mouse.move(box.x + box.width * part, box.y + box.height / 2);
        await picture.waitFor();
        return (await picture.getAttribute("style")) ?? "";
      };
      const early = await placeAt(0.05);
      const late = await placeAt(0.9);
      expect(early).toMatch(/storyboard-1\.jpg/);
      expect(late).not.toBe(early);
      await page.mouse.click(box.x + box.width * 0.5, box.y + box.height / 2);
      await until(page, "Math.abs(video.currentTime - video.duration / 2) < 0.5");
      await page.keyboard.press("ArrowLeft");
      await until(page, "Math.abs(video.currentTime - video.duration / 2 + 5) < 0.5");

      const quality = page.getByRole("combobox", { name: "Quality" });
      const names = await quality.locator("option").allTextContents();
      expect(names[0]).toBe("Automatic");
      expect(names).toContain("240p");
      await quality.selectOption({ label: "240p" });
      await page.getByRole("button", { name: "Play", exact: true }).click();
      await until(page, "video.videoHeight === 240 && video.currentTime > 2");
      await page.getByRole("button", { name: "Pause" }).click();
      await page.getByRole("button", { name: "Mute" }).click();
      expect(await read<boolean>(page, "video.paused && video.muted")).toBe(true);
      expect(faults).toEqual([]);
      await page.close();
    });

    it("fits small screens, and light ones", async () => {
      const page = await browser.newPage({ viewport: { width: 320, height: 568 }, colorScheme: "light" });
      await page.goto(pageOf(id));
      await page.getByRole("button", { name: "Play", exact: true }).waitFor();
      expect(await read<number>(page, "document.documentElement.scrollWidth")).toBe(320);
      const light = await read<string>(page, "getComputedStyle(document.body).backgroundColor");
      await page.emulateMedia({ colorScheme: "dark" });
      expect(await read<string>(page, "getComputedStyle(document.body).backgroundColor")).not.toBe(light);
      await page.close();
    });

    it("says when the network goes, and goes on when it is back", async () => {
      const page = await browser.newPage();
      await page.route("**/*.m4s", (route) => route.abort());
      await page.goto(pageOf(id));
      await page.getByRole("status").getByText("can't be reached").waitFor();
      await page.unroute("**/*.m4s");
      await page.getByRole("button", { name: "Play", exact: true }).click();
      await until(page, "video.currentTime > 0.5");
      expect(await page.getByRole("status").textContent()).toBe("");
      await page.close();
    });

    it("plays in a page of another origin, with its pictures", async () => {
      await using site = await serveSite();
      const page = await browser.newPage();
      const faults = faultsOf(page);
      await page.goto(`${site.url}/?${encodeURIComponent(pageOf(id))}`);
      await until(page, "video.currentTime > 1");
      expect(await read<string>(page, "window.pictures")).toMatch(/^WEBVTT[\s\S]*storyboard-1\.jpg#xywh=/);
      // A canvas gives pixels away only of pictures that may be read.
      expect(await read<number>(page, "window.pixel.length")).toBe(4);
      expect(faults).toEqual([]);
      await page.close();
    });

    it("says so when the video is deleted, and that there is none afterwards", async () => {
      const other = await begin(sampleVideo.replace("sintel-trailer.mp4", "README.md"), "README.md");
      const page = await browser.newPage();
      await page.goto(pageOf(other));
      await page.getByRole("status").getByText("This video couldn't be encoded.").waitFor();
      await call("DeleteVideo", { id: other });
      await page.getByRole("status").getByText("it was deleted").waitFor();
      const again = await page.goto(pageOf(other));
      expect(again?.status()).toBe(404);
      await page.getByText("There is no such video").waitFor();
      await page.close();
    });
  });
});

/** The longest time that a video may stand although a second or more of it lies ahead, in milliseconds. */
const mostStallMs = 10_000;

/** Counts, on the page, how often a playing video has come to the end of what there is, and how long it stood at most where there was more. */
const watchStalls = `(() => {
  const video = document.querySelector("video");
  const stalls = (window.stalls = { edges: 0, longest: 0 });
  let [place, since, atEdge] = [-1, performance.now(), false];
  setInterval(() => {
    const now = performance.now();
    const ahead = video.seekable.length === 0 ? 0 : video.seekable.end(0) - video.currentTime;
    const was = atEdge;
    atEdge = ahead < 1;
    if (atEdge && !was && !video.ended) stalls.edges++;
    if (video.currentTime !== place || atEdge || video.paused || video.ended) [place, since] = [video.currentTime, now];
    else stalls.longest = Math.max(stalls.longest, Math.round(now - since));
  }, 50);
})()`;

/** Another team's site: a page with hls.js of its own, whose query is the address of a video. */
async function serveSite(): Promise<{ url: string } & AsyncDisposable> {
  const html = `<!doctype html><link rel="icon" href="data:,"><video muted autoplay></video><script src="/hls.js"></script><script>
    const base = decodeURIComponent(location.search.slice(1)), hls = new Hls();
    hls.loadSource(base + "/master.m3u8");
    hls.attachMedia(document.querySelector("video"));
    fetch(base + "/storyboard.vtt").then((answer) => answer.text()).then((text) => { window.pictures = text });
    const image = new Image();
    image.crossOrigin = "anonymous";
    image.onload = () => {
      const canvas = document.createElement("canvas").getContext("2d");
      canvas.drawImage(image, 0, 0);
      window.pixel = canvas.getImageData(0, 0, 1, 1).data;
    };
    image.src = base + "/storyboard-1.jpg";
  </script>`;
  const script = fileURLToPath(import.meta.resolve("hls.js/dist/hls.min.js"));
  const server = createServer((request, response) => {
    response.setHeader("Content-Type", request.url === "/hls.js" ? "text/javascript" : "text/html");
    if (request.url === "/hls.js") createReadStream(script).pipe(response);
    else response.end(html);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** An expression's value on the page, where `video` is the video element. */
const read = async <T>(page: Page, expression: string): Promise<T> =>
  (await page.evaluate(`(() => { const video = document.querySelector("video"); return ${expression}; })()`)) as T;

/** Waits until an expression is true on the page, whose policy allows no evaluation from within. */
const until = (page: Page, expression: string): Promise<true> =>
  waitUntil(expression, () =>
    read<boolean>(page, expression).catch((error: Error) => {
      // It loads itself anew at this moment.
      if (!/context was destroyed/.test(error.message)) throw error;
      return false;
    }),
  );

function fail(what: string): never {
  throw new Error(`${what} isn't on the page.`);
}
