import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { realVideos, waitUntil } from "@kinora/testing";
import { describe, expect, it } from "vitest";
import { createInstallation, type Installation } from "./support/installation.ts";

/** The longest real video: there is time to strike while it is encoded. */
const [video = ""] = realVideos();

describe("kill -9 during an upload", { timeout: 300_000 }, () => {
  it("of the monolith: after a restart it goes on where it was", async () => {
    await using kinora = await createInstallation("monolith");
    await kinora.startAll();
    const bytes = await readFile(video);
    const { id, headers } = await announce(kinora, bytes.length);
    const address = `${kinora.encoderUrl}/uploads/${id}`;
    const send = (offset: number, body: Uint8Array | ReadableStream) =>
      fetch(address, {
        method: "PATCH",
        body,
        duplex: "half",
        headers: { ...headers, "content-type": "application/offset+octet-stream", "upload-offset": String(offset) },
      } as RequestInit);
    const half = bytes.subarray(0, bytes.length / 2);
    const stalled = new ReadableStream({ start: (controller) => controller.enqueue(half) });
    const broken = send(0, stalled).catch(() => "broken");
    await waitUntil("half of it has arrived", async () => {
      const list = await kinora.kinora("show", id, "--json");
      return list.stdout.includes(`"uploadedBytes":"${half.length}"`);
    });
    await kinora.process("monolith").stop("SIGKILL");
    expect(await broken).toBe("broken");
    await kinora.start("monolith");
    const offset = Number((await fetch(address, { method: "HEAD", headers })).headers.get("upload-offset"));
    expect(offset).toBe(half.length);
    expect((await send(offset, bytes.subarray(offset))).status).toBe(204);
    const source = await readFile(join(kinora.dataDir, "encoder/objects/videos", id, "source"));
    expect(source.equals(bytes)).toBe(true);
  });
});

describe("kill -9 during an encode", { timeout: 300_000 }, () => {
  it("of the monolith: after a restart the encode finishes by itself", async () => {
    await using kinora = await createInstallation("monolith");
    await kinora.startAll();
    const id = await startEncode(kinora);
    await kinora.process("monolith").stop("SIGKILL");
    await kinora.start("monolith");
    await expectFinish(kinora, id);
  });

  it("of each service in turn: after a restart the encode finishes by itself", async () => {
    await using kinora = await createInstallation("services");
    await kinora.startAll();
    const id = await startEncode(kinora);
    for (const name of ["encoder-worker", "user", "encoder"] as const) {
      await kinora.process(name).stop("SIGKILL");
      await kinora.start(name);
    }
    await expectFinish(kinora, id);
  });
});

/** Announces a video as any program does, by JSON; the answer has what an upload's requests need. */
async function announce(kinora: Installation, sizeBytes: number) {
  const authorization = `Bearer ${(await kinora.kinora("token")).stdout.trim()}`;
  const answer = await fetch(`${kinora.encoderUrl}/encoder.v1.EncoderService/CreateVideo`, {
    method: "POST",
    headers: { authorization, "content-type": "application/json" },
    body: JSON.stringify({ name: "video.mp4", sizeBytes }),
  });
  const { video: made } = (await answer.json()) as { video: { id: string } };
  return { id: made.id, headers: { authorization, "tus-resumable": "1.0.0" } };
}

/** Uploads, starts to encode, and leaves `kinora` as soon as pictures are being encoded; returns the video's id. */
async function startEncode(kinora: Installation): Promise<string> {
  const encode = kinora.startKinora("encode", video, "--json");
  const id = await waitUntil("the encode is under way", async () => {
    const list = await kinora.kinora("list", "--json");
    const found = /"id":\s*"([0-9a-f-]{36})"/.exec(list.stdout)?.[1];
    if (found === undefined) return undefined;
    const show = await kinora.kinora("show", found, "--json");
    return /ENCODE_STATE_ENCODING/.test(show.stdout) && /"frames":\s*"?[1-9]/.test(show.stdout) ? found : undefined;
  });
  await encode.stop("SIGKILL");
  return id;
}

async function expectFinish(kinora: Installation, id: string): Promise<void> {
  const watch = await kinora.kinora("watch", id);
  expect(watch, watch.stderr).toMatchObject({ code: 0 });
  const show = await kinora.kinora("show", id, "--json");
  expect(show.stdout).toContain("ENCODE_STATE_SUCCEEDED");
  const address = /"hlsUrl":\s*"([^"]+)"/.exec(show.stdout)?.[1] ?? "";
  expect((await fetch(address)).status).toBe(200);
}
