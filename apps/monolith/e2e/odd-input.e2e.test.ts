import { inspectPicture, makeMedia } from "@kinora/media/testing";
import { expect, it } from "vitest";
import { createInstallation } from "./support/installation.ts";

const picture = { codec: "libx264", width: 640, height: 360, frameRate: { num: 25, den: 1 }, frames: 50 };
const sound = { codec: "aac", sampleRate: 48_000, channels: 2, seconds: 2 };
const hdr10 = { pixelFormat: "yuv420p10le", colour: { primaries: 9, transfer: 16, matrix: 9 } };

it("HDR, turned and three frames' videos, and such with wide pixels, become streams with a poster of their shape", async () => {
  await using kinora = await createInstallation("monolith");
  await kinora.startAll();
  const cases = [
    ["hdr", hdr10, [640, 360]],
    ["turned", { rotation: 90 }, [360, 640]],
    ["wide", { width: 720, height: 576, sampleAspectRatio: { num: 64, den: 45 } }, [854, 480]],
    ["short", { frames: 3 }, [640, 360]],
  ] as const;
  for (const [name, changes, [width, height]] of cases) {
    const path = kinora.path(`${name}.mkv`);
    await makeMedia({ path, flash: [1, 1.2], video: { ...picture, ...changes }, audio: sound });
    const out = kinora.path(name);
    const end = await kinora.kinora("encode", path, "--out", out);
    expect(end, `${name}: ${end.stderr}`).toMatchObject({ code: 0 });
    expect(await inspectPicture(`${out}/poster.jpg`), name).toMatchObject({ width, height });
  }
});
