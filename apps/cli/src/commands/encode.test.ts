import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { EncodeState, PlaybackSchema, Priority } from "@kinora/proto-encoder";
import { waitUntil } from "@kinora/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createPerson, ctrlC, type Person } from "../testing/command-line.ts";

let person: Person;
let file: string;
const content = randomBytes(5_000_000);

beforeEach(async () => {
  person = await createPerson();
  const { email, password } = person.kinora.owner;
  await person.run(["login", email, "--password-stdin"], { input: password });
  file = join(person.cwd, "holiday.mp4");
  await writeFile(file, content);
  person.kinora.calls.length = 0;
});
afterEach(() => person[Symbol.asyncDispose]());

const lines = (text: string) => text.trim().split("\n");
const countOf = (name: string) => person.kinora.calls.filter((call) => call === name).length;
const onlyVideo = () => {
  const [only, ...others] = [...person.kinora.videos.values()];
  if (only === undefined || others.length > 0) throw new Error(`There are ${others.length + (only ? 1 : 0)} videos.`);
  return only;
};

describe("kinora encode", () => {
  it("sends the file, follows the encode and ends with the stream's address", async () => {
    const { code, stdout, stderr } = await person.run(["encode", "holiday.mp4"]);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const { video, bytes } = onlyVideo();
    expect(stdout).toBe(`${person.kinora.url}/videos/${video.id}/master.m3u8\n`);
    expect(bytes.equals(content)).toBe(true);
    expect(video).toMatchObject({ name: "holiday.mp4", sizeBytes: 5_000_000n });
    expect(stderr).toMatch(/^Sending: 0 %.*\n/);
    expect(stderr).toMatch(/^Encoding: 40 %, 2\.0×, 0:03 left$/m);
    expect(stderr).toMatch(/Encoded in \d+:\d\d: 240p\.\nWatch it in a browser: http:\S+\n$/);
  });

  it("encodes with a profile and settings, and again with others", async () => {
    const encodes = () => [...person.kinora.encodes.values()];
    await person.run(["encode", file, "--profile", "hevc", "--settings", '{"crf":20}']);
    expect(encodes()).toMatchObject([{ profile: "hevc", plan: { settings: { crf: 20 } } }]);
    expect(await person.run(["encode", file, "-p", "av1"])).toMatchObject({ code: 0 });
    expect(encodes().at(-1)?.profile).toBe("av1");
    expect(await person.run(["encode", file, "--settings", "[]"])).toMatchObject({ code: 2, stdout: "" });
    await person.run(["encode", file, "-p", "av1", "--settings", "{}", "--priority", "high"]);
    expect(encodes().at(-1)?.priority).toBe(Priority.HIGH);
    const wrong = await person.run(["encode", file, "--priority", "urgent"]);
    expect(wrong).toMatchObject({ code: 2, stdout: "" });
    expect(wrong.stderr).toContain("--priority urgent: expected low, normal, high");
  });

  it("draws one bar on a terminal, and takes it away before it prints the address", async () => {
    const { stderr } = await person.run(["encode", file], { columns: 70 });
    const drawings = stderr.split("\r").filter((drawing) => drawing.includes("%"));
    expect(drawings.length).toBeGreaterThan(2);
    expect(drawings.some((drawing) => drawing.includes("\x1b[36m"))).toBe(true);
    expect(stderr.lastIndexOf("%")).toBeLessThan(stderr.lastIndexOf("\r\x1b[K"));
    const plain = await person.run(["encode", file], { columns: 70, env: { NO_COLOR: "1" } });
    expect(plain.stderr).not.toContain("\x1b[36m");
  });

  it("writes one JSON object a line for programs", async () => {
    const { code, stdout, stderr } = await person.run(["encode", file, "--json"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const events = lines(stdout).map((line) => JSON.parse(line) as Record<string, unknown>);
    expect([...new Set(events.map(({ event }) => event))]).toEqual(["created", "upload", "started", "encode", "done"]);
    const { video } = onlyVideo();
    expect(events[0]).toMatchObject({ videoId: video.id, name: "holiday.mp4", bytes: 5_000_000, resumed: false });
    expect(events.at(-1)).toEqual({
      event: "done",
      videoId: video.id,
      encodeId: video.latestEncode?.id,
      hlsUrl: video.playback?.hlsUrl,
      dashUrl: video.playback?.dashUrl,
      posterUrl: video.playback?.posterUrl,
      pageUrl: video.playback?.pageUrl,
    });
  });

  it("sends an empty file too: what is wrong with it is the server's to say", async () => {
    await writeFile(file, "");
    expect(await person.run(["encode", file])).toMatchObject({ code: 0 });
    expect(onlyVideo().bytes.length).toBe(0);
  });

  it("fails with the server's sentence, and exit code 1", async () => {
    person.kinora.script.outcome = "failed";
    const text = await person.run(["encode", file]);
    expect(text).toMatchObject({ code: 1, stdout: "" });
    expect(lines(text.stderr).at(-1)).toBe("kinora: This is a text file, not a video.");
    const json = await person.run(["encode", file, "--json"]);
    expect(json.code).toBe(1);
    expect(JSON.parse(lines(json.stdout).at(-1) ?? "")).toEqual({
      event: "failed",
      error: "This is a text file, not a video.",
    });
  });

  it("makes a video of its own while another command is busy with the same file", async () => {
    person.kinora.script.uploadDelayMs = 300;
    const other = person.start("encode", file);
    await waitUntil("the other one sends", () => countOf("PATCH") > 0);
    expect(await person.run(["encode", file])).toMatchObject({ code: 0 });
    expect(await other.exit).toMatchObject({ code: 0 });
    expect([...person.kinora.videos.values()].map(({ bytes }) => bytes.equals(content))).toEqual([true, true]);
  });

  it("makes a new video when a file is encoded again", async () => {
    await person.run(["encode", file]);
    await person.run(["encode", file]);
    expect(person.kinora.videos.size).toBe(2);
  });

  it.each([
    [["encode", "nothing.mp4"], 1, "kinora: There is no file nothing.mp4.\n"],
    [["encode", "."], 2, "kinora: . is no file. Name one video file.\n"],
  ])("refuses %j before it calls anybody", async (args, code, stderr) => {
    expect(await person.run(args)).toEqual({ code, stdout: "", stderr });
    expect(person.kinora.calls).toEqual([]);
  });
});

describe("an upload that breaks", () => {
  it("goes on after a cut connection where the server is", async () => {
    person.kinora.script.cutUploadAfter = 700_000;
    expect(await person.run(["encode", file])).toMatchObject({ code: 0 });
    expect(onlyVideo().bytes.equals(content)).toBe(true);
    expect(countOf("HEAD")).toBe(2);
  });

  it("goes on after a restart of the server", async () => {
    person.kinora.script.uploadDelayMs = 300;
    const running = person.run(["encode", file]);
    await waitUntil("the upload runs", () => countOf("PATCH") > 0);
    await person.kinora.stop();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await person.kinora.start();
    const { code, stderr } = await running;
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stderr).toContain("Waiting for the server");
    expect(onlyVideo().bytes.equals(content)).toBe(true);
  });

  it("goes on with a new access token when the old one is refused", async () => {
    person.kinora.script.uploadDelayMs = 200;
    const running = person.run(["encode", file]);
    await waitUntil("the upload runs", () => countOf("PATCH") > 0);
    person.kinora.revokeAccess();
    expect(await running).toMatchObject({ code: 0 });
    expect(countOf("RefreshSession")).toBeGreaterThan(0);
  });

  it("is resumed by the same command after kill -9", async () => {
    person.kinora.script.uploadDelayMs = 300;
    const first = person.start("encode", "holiday.mp4");
    await waitUntil("a part has arrived", () => (person.kinora.videos.size > 0 ? onlyVideo().bytes.length > 0 : false));
    await first.stop("SIGKILL");
    person.kinora.script.uploadDelayMs = 0;
    const arrived = onlyVideo().bytes.length;
    expect(arrived).toBeLessThan(content.length);
    const { code, stderr } = await person.run(["encode", file]);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stderr).toContain("Resuming the upload of holiday.mp4.");
    expect(onlyVideo().bytes.equals(content)).toBe(true);
    expect(countOf("CreateVideo")).toBe(1);
  });

  it("is not resumed when the file has changed", async () => {
    const { signal, press } = ctrlC();
    person.kinora.script.uploadDelayMs = 200;
    const running = person.run(["encode", file], { signal });
    await waitUntil("the upload runs", () => countOf("PATCH") > 0);
    press();
    expect(await running).toMatchObject({ code: 130 });
    await utimes(file, new Date(0), new Date(0));
    expect(await person.run(["encode", file])).toMatchObject({ code: 0 });
    expect(countOf("CreateVideo")).toBe(2);
  });

  it("starts anew when the server has forgotten the video", async () => {
    const { signal, press } = ctrlC();
    person.kinora.script.uploadDelayMs = 200;
    const running = person.run(["encode", file], { signal });
    await waitUntil("the upload runs", () => countOf("PATCH") > 0);
    press();
    await running;
    person.kinora.videos.clear();
    expect(await person.run(["encode", file])).toMatchObject({ code: 0 });
    expect(countOf("CreateVideo")).toBe(2);
  });
});

describe("an encode that begins anew", () => {
  it("says so once, and that it plays once more", async () => {
    person.kinora.script.outcome = "never";
    const running = person.run(["encode", file]);
    const encode = await waitUntil("the encode is watched", () =>
      countOf("WatchEncode") > 0 ? [...person.kinora.encodes.values()][0] : undefined,
    );
    const playback = create(PlaybackSchema, { hlsUrl: "http://kinora.test/master.m3u8" });
    encode.playback = playback;
    await sleep(100);
    delete encode.playback;
    encode.notice = "Begun anew on the CPU: no worker with nvenc was there for 600 seconds.\x1b[2J";
    await sleep(100);
    encode.playback = playback;
    await sleep(100);
    encode.state = EncodeState.FAILED;
    const { stderr } = await running;
    const told = lines(stderr).filter((line) => /anew|plays already/.test(line));
    expect(told).toEqual([
      "Its beginning plays already: http://kinora.test/master.m3u8",
      expect.stringContaining("Begun anew on the CPU: no worker with nvenc was there for 600 seconds."),
      "Its beginning plays already: http://kinora.test/master.m3u8",
    ]);
    expect(stderr).not.toContain("\x1b");
  });
});

describe("an encode that is broken off", () => {
  it("is followed on after a restart of the server", async () => {
    person.kinora.script.outcome = "never";
    const running = person.run(["encode", file]);
    const encode = await waitUntil("the encode is watched", () =>
      countOf("WatchEncode") > 0 ? [...person.kinora.encodes.values()][0] : undefined,
    );
    await person.kinora.stop();
    encode.state = EncodeState.FAILED;
    encode.error = "it ended while nobody watched";
    encode.retryable = true;
    await person.kinora.start();
    const { code, stderr } = await running;
    const last = `kinora: It ended while nobody watched. What is done stays: kinora retry ${encode.id} goes on.`;
    expect({ code, last: lines(stderr).at(-1) }).toEqual({ code: 1, last });
  });

  it("is cancelled by Ctrl-C, with exit code 130; the next run doesn't send the file again", async () => {
    person.kinora.script.outcome = "never";
    const first = person.start("encode", file);
    await waitUntil("the encode is watched", () => countOf("WatchEncode") > 0);
    const { code, stdout, stderr } = await first.stop("SIGINT");
    expect({ code, stdout }).toEqual({ code: 130, stdout: "" });
    expect(lines(stderr).at(-1)).toBe("kinora: The encode is cancelled.");
    expect([...person.kinora.encodes.values()]).toMatchObject([{ state: EncodeState.CANCELLED }]);
    person.kinora.script.outcome = "succeeded";
    expect(await person.run(["encode", file])).toMatchObject({ code: 0 });
    expect(countOf("CreateVideo")).toBe(1);
    expect(person.kinora.encodes.size).toBe(2);
  });

  it("ends at once at the second Ctrl-C", async () => {
    person.kinora.script.outcome = "never";
    const first = person.start("encode", file);
    await waitUntil("the encode is watched", () => countOf("WatchEncode") > 0);
    person.kinora.script.cancelMs = 60_000;
    process.kill(first.pid, "SIGINT");
    await waitUntil("the server is asked to cancel", () => countOf("CancelEncode") > 0);
    process.kill(first.pid, "SIGINT"); // the same Ctrl-C, as npx passes it on
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const { code, stderr } = await first.stop("SIGINT");
    expect({ code, told: stderr.includes("cancelled") }).toEqual({ code: 130, told: false });
  });

  it("is picked up by the same command after kill -9, even when it has succeeded meanwhile", async () => {
    person.kinora.script.outcome = "never";
    const first = person.start("encode", file);
    await waitUntil("the encode is watched", () => countOf("WatchEncode") > 0);
    await first.stop("SIGKILL");
    const [encode] = [...person.kinora.encodes.values()];
    const again = person.run(["encode", file]);
    await waitUntil("the same encode is watched", () => countOf("WatchEncode") > 1);
    if (encode) Object.assign(encode, { state: EncodeState.FAILED, error: "enough" });
    expect(await again).toMatchObject({ code: 1 });
    expect(person.kinora.encodes.size).toBe(1);
  });
});

describe("kinora encode --out", () => {
  it("brings the stream home, as the server has it", async () => {
    await mkdir(join(person.cwd, "home")); // a folder that is empty will do
    const { code, stdout, stderr } = await person.run(["encode", file, "--out", "home"]);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(lines(stdout)).toHaveLength(1);
    const home = join(person.cwd, "home");
    const names = Object.keys(person.kinora.script.files);
    for (const name of names) {
      expect(await readFile(join(home, name), "utf8")).toBe(person.kinora.script.files[name]);
    }
    const found = (await readdir(home, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    expect(found).toHaveLength(names.length);
    expect(await readdir(person.cwd)).toEqual(["holiday.mp4", "home"]);
  });

  it("tries again what the server couldn't give", async () => {
    person.kinora.script.failDownloads = 3;
    expect(await person.run(["encode", file, "--out", "home"])).toMatchObject({ code: 0 });
  });

  it.each([
    ["a missing segment", { "240p/2.m4s": undefined }],
    ["a playlist that leads out of the folder", { "240p/playlist.m3u8": "#EXTM3U\n../../../evil\n" }],
    ["a playlist of another server", { "master.m3u8": "#EXTM3U\nhttp://127.0.0.1:1/a.m3u8\n" }],
  ])("leaves nothing behind after %s", async (_, change) => {
    Object.assign(person.kinora.script.files, change);
    const { code, stdout } = await person.run(["encode", file, "--out", "home"]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(await readdir(person.cwd)).toEqual(["holiday.mp4"]);
    expect((await stat(file)).size).toBe(content.length);
  });

  it.each([
    [".", /\. is not empty|work is not empty/],
    ["holiday.mp4", /is a file/],
    ["missing/home", /There is no folder/],
  ])("refuses the folder %s before it sends anything", async (out, message) => {
    const { code, stderr } = await person.run(["encode", file, "--out", out]);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(person.kinora.calls).toEqual([]);
  });
});
