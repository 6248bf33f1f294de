import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EncodeState } from "@kinora/proto-encoder";
import { waitUntil } from "@kinora/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createPerson, ctrlC, installLocally, type Person } from "../testing/command-line.ts";

let person: Person;
beforeEach(async () => {
  person = await createPerson();
  await installLocally(person);
});
afterEach(() => person[Symbol.asyncDispose]());

async function encode(name: string): Promise<string> {
  await writeFile(join(person.cwd, name), name);
  await person.run(["encode", name, "--json"]);
  const video = [...person.kinora.videos.values()].at(-1)?.video;
  if (video === undefined) throw new Error("Nothing was sent.");
  return video.id;
}

describe("kinora list", () => {
  it("says what to do while there is nothing", async () => {
    expect(await person.run(["list"])).toEqual({
      code: 0,
      stdout: "",
      stderr: 'You have no videos yet. Send one with "kinora encode FILE".\n',
    });
    expect(await person.run(["list", "--json"])).toMatchObject({ code: 0, stdout: "" });
  });

  it("lists every page, in columns", async () => {
    const ids = [];
    for (const name of ["one.mp4", "two.mp4", "three.mp4", "evil\x1b[2J.mp4", "five.mp4"]) ids.push(await encode(name));
    const { code, stdout, stderr } = await person.run(["list"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const [head, ...rows] = stdout.trim().split("\n");
    expect(head).toMatch(/^ID +NAME +STATE +SIZE +SENT$/);
    expect(rows.map((row) => row.split(" ")[0])).toEqual(ids);
    expect(rows[0]).toMatch(/ {2}one\.mp4 +ready +7 B {2}\d{4}-\d\d-\d\d \d\d:\d\d$/);
    expect(stdout).not.toContain("\x1b");
    const json = await person.run(["list", "--json"]);
    expect(
      json.stdout
        .trim()
        .split("\n")
        .map((line) => (JSON.parse(line) as { id: string }).id),
    ).toEqual(ids);
  });

  it("stops at --limit, and says that there is more", async () => {
    for (const name of ["one.mp4", "two.mp4", "three.mp4"]) await encode(name);
    const { stdout, stderr } = await person.run(["list", "--limit", "2"]);
    expect(stdout.trim().split("\n")).toHaveLength(3);
    expect(stderr).toBe("There are more. Use --limit to see them.\n");
  });

  it.each(["0", "-1", "many", "1000000"])("refuses --limit %s", async (limit) => {
    expect(await person.run(["list", `--limit=${limit}`])).toMatchObject({ code: 2 });
  });
});

describe("kinora show", () => {
  it("tells what there is to know of a video, and of an encode", async () => {
    const id = await encode("one.mp4");
    const video = await person.run(["show", id]);
    expect(video.code).toBe(0);
    expect(video.stdout).toMatch(/^Video +one\.mp4\nID +/);
    expect(video.stdout).toMatch(/^Ladder +240p: 426×240, 144 frames, avc1\.640015, 401 kbit\/s, 300\.8 kB$/m);
    expect(video.stdout).toMatch(new RegExp(`^HLS +${person.kinora.url}/videos/${id}/master\\.m3u8$`, "m"));
    const encodeId = [...person.kinora.encodes.keys()][0] ?? "";
    const shown = await person.run(["show", encodeId]);
    expect(shown.stdout).toMatch(new RegExp(`^Encode +${encodeId}\nState +ready`));
    const json = await person.run(["show", id, "--json"]);
    expect(JSON.parse(json.stdout)).toMatchObject({ id, latestEncode: { result: { poster: "poster.jpg" } } });
  });

  it("tells why an encode failed", async () => {
    person.kinora.script.outcome = "failed";
    const id = await encode("text.mp4");
    expect((await person.run(["show", id])).stdout).toMatch(/^Error +this is a text file, not a video$/m);
  });

  it.each([
    ["12", 2, 'kinora: "12" is no ID. "kinora list" shows the IDs of your videos.\n'],
    [
      "00000000-0000-4000-8000-000000000000",
      1,
      'kinora: You have no video and no encode with the ID 00000000-0000-4000-8000-000000000000. "kinora list" shows what you have.\n',
    ],
  ])("show %s says what is wrong", async (id, code, stderr) => {
    for (const command of ["show", "watch", "cancel", "delete"]) {
      expect(await person.run([command, id])).toEqual({ code, stdout: "", stderr });
    }
  });
});

describe("kinora watch, cancel, delete", () => {
  it("follows an encode to its end, by its video's ID or its own", async () => {
    const id = await encode("one.mp4");
    const encodeId = [...person.kinora.encodes.keys()][0] ?? "";
    for (const target of [id, encodeId]) {
      const { code, stdout } = await person.run(["watch", target]);
      expect({ code, stdout }).toEqual({ code: 0, stdout: `${person.kinora.url}/videos/${id}/master.m3u8\n` });
    }
    const json = await person.run(["watch", id, "--json"]);
    expect(JSON.parse(json.stdout.trim().split("\n").at(-1) ?? "")).toMatchObject({ state: "ENCODE_STATE_SUCCEEDED" });
  });

  it("leaves the encode alone when Ctrl-C ends the watching; cancel ends the encode", async () => {
    person.kinora.script.outcome = "never";
    await writeFile(join(person.cwd, "one.mp4"), "one");
    const encoding = person.run(["encode", "one.mp4"]);
    const [video] = await waitUntil("the encode runs", () => {
      const all = [...person.kinora.videos.values()];
      return all[0]?.video.latestEncode ? all : undefined;
    });
    const id = video?.video.id ?? "";
    const { signal, press } = ctrlC();
    const watching = person.run(["watch", id], { signal });
    await waitUntil("two watch", () => person.kinora.calls.filter((call) => call === "WatchEncode").length === 2);
    press();
    expect(await watching).toMatchObject({ code: 130, stdout: "" });
    expect(video?.video.latestEncode?.state).toBe(EncodeState.ENCODING);

    expect(await person.run(["cancel", id])).toMatchObject({ code: 0 });
    const { code, stderr } = await encoding;
    expect({ code, last: stderr.trim().split("\n").at(-1) }).toEqual({
      code: 1,
      last: "kinora: The encode was cancelled.",
    });
    expect(await person.run(["cancel", id])).toMatchObject({ code: 0 });
  });

  it("refuses to cancel what has ended, in the server's words", async () => {
    const id = await encode("one.mp4");
    expect(await person.run(["cancel", id])).toMatchObject({ code: 1, stderr: "kinora: The encode has ended.\n" });
  });

  it("deletes a video, or an encode alone", async () => {
    const id = await encode("one.mp4");
    const encodeId = [...person.kinora.encodes.keys()][0] ?? "";
    expect(await person.run(["delete", encodeId])).toMatchObject({ code: 0 });
    expect(person.kinora.encodes.size).toBe(0);
    const { code, stderr } = await person.run(["delete", id]);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: 'The video "one.mp4" is deleted, with everything made from it.\n',
    });
    expect(person.kinora.videos.size).toBe(0);
  });
});
