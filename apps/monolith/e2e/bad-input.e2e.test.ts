import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { realVideos, sampleVideo, waitUntil } from "@kinora/testing";
import { expect, it } from "vitest";
import { createInstallation } from "./support/installation.ts";

it("each bad file ends as a failed encode with a sentence, and the next job goes on", async () => {
  await using kinora = await createInstallation("monolith");
  await kinora.startAll();
  const good = kinora.path("good");
  expect(await kinora.kinora("encode", sampleVideo, "--out", good)).toMatchObject({ code: 0 });

  const sample = await readFile(sampleVideo);
  const segments = (await readdir(join(good, "audio"))).filter((name) => name.endsWith(".m4s"));
  const audio = ["init.mp4", ...segments.sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))];
  const bad: [name: string, content: Buffer | string, sentence: RegExp][] = [
    ["text.mp4", "This is no video at all.\n".repeat(200), /not a video|can't read|cannot read/i],
    ["empty.mp4", "", /empty/i],
    ["half.mp4", sample.subarray(0, sample.length / 2), /ends early|incomplete|cut|damaged|truncated/i],
    [
      "audio-only.mp4",
      Buffer.concat(await Promise.all(audio.map((name) => readFile(join(good, "audio", name))))),
      /audio|no video/i,
    ],
    ["picture.mp4", await readFile(join(good, "poster.jpg")), /picture|image/i],
    ["playlist.mp4", "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n", /playlist/i],
    ["list.mp4", "ffconcat version 1.0\nfile /etc/passwd\n", /names other files/i],
  ];
  for (const [name, content, sentence] of bad) {
    const file = kinora.path(name);
    await writeFile(file, content);
    const end = await kinora.kinora("encode", file);
    expect(end.code, `${name}: ${end.stderr}`).toBe(1);
    expect(end.stderr.trim().split("\n").at(-1), name).toMatch(sentence);
    expect(end.stderr + end.stdout, name).not.toMatch(/\n\s+at |root:x:/);
  }
  expect(await kinora.kinora("encode", sampleVideo)).toMatchObject({ code: 0 });
  expect((await fetch(`${kinora.encoderUrl}/healthz`)).status).toBe(200);
});

it("cancels on Ctrl-C, and deleting leaves no file behind", async () => {
  await using kinora = await createInstallation("monolith");
  await kinora.startAll();
  const [long = sampleVideo] = realVideos();
  const encode = kinora.startKinora("encode", long, "--json");
  await waitUntil("pictures are being encoded", () => /"state":"encode",.*"speed":(?!0[,}])/.test(encode.output()));
  const end = await encode.stop("SIGINT");
  expect(end.code).toBe(130);
  const list = await kinora.kinora("list", "--json");
  const id = /"id":\s*"([0-9a-f-]{36})"/.exec(list.stdout)?.[1] ?? "";
  expect((await kinora.kinora("show", id, "--json")).stdout).toContain("ENCODE_STATE_CANCELLED");

  expect(await kinora.kinora("encode", sampleVideo)).toMatchObject({ code: 0 });
  const all = JSON.stringify((await kinora.kinora("list", "--json")).stdout).match(/[0-9a-f]{8}-[0-9a-f-]{27}/g) ?? [];
  for (const one of new Set(all)) await kinora.kinora("delete", one);
  await waitUntil("the objects are gone", async () => {
    const left = await readdir(join(kinora.dataDir, "encoder/objects"), { recursive: true, withFileTypes: true });
    return left.every((entry) => !entry.isFile());
  });
});
