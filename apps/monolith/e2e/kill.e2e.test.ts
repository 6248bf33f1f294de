import { realVideos, waitUntil } from "@kinora/testing";
import { describe, expect, it } from "vitest";
import { createInstallation, type Installation } from "./support/installation.ts";

/** The longest real video: there is time to strike while it is encoded. */
const [video = ""] = realVideos();

describe("kill -9 during an encode", () => {
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
