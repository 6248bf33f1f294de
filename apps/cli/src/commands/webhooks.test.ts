import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createPerson, installLocally, type Person } from "../testing/command-line.ts";

let person: Person;
beforeEach(async () => {
  person = await createPerson();
  await installLocally(person);
});
afterEach(() => person[Symbol.asyncDispose]());

describe("kinora webhooks", () => {
  it("says what to do while there is nothing", async () => {
    expect(await person.run(["webhooks"])).toEqual({
      code: 0,
      stdout: "",
      stderr: 'You have no webhooks. Add one with "kinora webhooks add URL".\n',
    });
  });

  it("adds, tests, lists and removes an address", async () => {
    const added = await person.run([
      "webhooks",
      "add",
      "https://example.org/hook",
      "--events",
      "encode.failed, video.deleted",
    ]);
    expect(added).toMatchObject({ code: 0, stdout: "whsec_scripted\n" });
    const id = /Added as ([0-9a-f-]{36})/.exec(added.stderr)?.[1] ?? "";
    const list = await person.run(["webhooks"]);
    expect(list.stdout).toMatch(/^ID +STATE +ADDRESS +EVENTS\n/);
    expect(list.stdout).toContain(`${id}  enabled  https://example.org/hook  encode.failed,video.deleted`);
    expect(await person.run(["webhooks", "test", id])).toMatchObject({
      code: 0,
      stderr: "The address answered 204.\n",
    });
    const sent = await person.run(["webhooks", "sent", id]);
    expect(sent.stdout).toMatch(/webhook\.test +\d{4}-\d\d-\d\d \d\d:\d\d +received +1 +204/);
    expect(await person.run(["webhooks", "delete", id])).toMatchObject({ code: 0 });
    expect(await person.run(["webhooks", "--json"])).toMatchObject({ code: 0, stdout: "" });
  });

  it.each([[["explode"]], [["add"]], [["test"]], [["a", "b", "c"]]])("refuses %j", async (rest) => {
    expect(await person.run(["webhooks", ...rest])).toMatchObject({ code: 2, stdout: "" });
  });
});

describe("kinora profiles", () => {
  it("saves, replaces, shows and deletes a profile", async () => {
    const save = (settings: string) =>
      person.run(["profiles", "save", "small", "--settings", settings, "--about", "phones"]);
    expect(await save('{"codec":"hevc","crf":28}')).toMatchObject({ code: 0 });
    expect(await save('{"codec":"av1"}')).toMatchObject({ code: 0 });
    const { stdout } = await person.run(["profiles"]);
    expect(stdout).toMatch(/^NAME +FOR +SETTINGS\nsmall +phones +\{"codec":"av1"\}\n$/);
    expect(await person.run(["profiles", "delete", "small"])).toMatchObject({ code: 0 });
    expect((await person.run(["profiles", "--json"])).stdout).toBe("");
  });

  it.each([
    [["save"], /name the profile/],
    [["save", "x"], /state the settings/],
    [["save", "x", "--settings", "{"], /not settings of an encode/],
    [["save", "x", "--settings", '{"codek":"av1"}'], /not settings of an encode: .*codek/],
    [["save", "x", "--settings", "@nothing.json"], /ENOENT/],
    [["explode", "x"], /expected save or delete/],
  ])("refuses %j", async (rest, why) => {
    const { code, stderr } = await person.run(["profiles", ...rest]);
    expect(code).toBe(2);
    expect(stderr).toMatch(why);
  });
});
