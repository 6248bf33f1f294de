import { execFile } from "node:child_process";
import { readFile, symlink } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { registry } from "./registry.ts";
import { createPerson } from "./testing/command-line.ts";

describe("kinora", () => {
  it.each(registry.map(({ name }) => name))("has help for %s", async (name) => {
    await using person = await createPerson();
    const { code, stdout, stderr } = await person.run([name, "--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain(`Usage: kinora ${name}`);
    expect(stdout).toContain("--server URL");
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(110);
    expect(await person.run(["help", name])).toEqual({ code, stdout, stderr });
  });

  it("shows an overview of every command", async () => {
    await using person = await createPerson();
    for (const args of [[], ["--help"], ["-h"], ["help"]]) {
      const { code, stdout } = await person.run(args);
      expect(code).toBe(0);
      for (const { name, summary } of registry) expect(stdout).toMatch(new RegExp(`^  ${name}.* ${summary}$`, "m"));
    }
  });

  it("shows the version of its package", async () => {
    await using person = await createPerson();
    const { version } = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8")) as {
      version: string;
    };
    expect(await person.run(["--version"])).toEqual({ code: 0, stdout: `kinora ${version}\n`, stderr: "" });
  });

  it("runs by its link in node_modules/.bin, from any folder", async () => {
    await using person = await createPerson();
    const link = person.path("kinora");
    await symlink(fileURLToPath(new URL("../bin/kinora.mjs", import.meta.url)), link);
    const env = { ...process.env, XDG_CACHE_HOME: person.path("cache") };
    const { stdout } = await promisify(execFile)(process.execPath, [link, "--version"], { cwd: person.cwd, env });
    expect(stdout).toMatch(/^kinora \d+\.\d+\.\d+\n$/);
  });

  it.each([
    [["frobnicate"], 'kinora: There is no command "frobnicate". See "kinora --help".\n'],
    [["--frobnicate"], 'kinora: "--frobnicate" names no command. See "kinora --help".\n'],
    [["list", "--frobnicate"], "kinora: Unknown option '--frobnicate'.\n"],
    [["list", "more"], 'kinora: "more" is one word too many: kinora list\n'],
    [["show"], "kinora: Something is missing: kinora show ID\n"],
    [["token", "--json"], 'kinora: "kinora token" has no --json.\n'],
  ])("answers %j with exit code 2", async (args, stderr) => {
    await using person = await createPerson();
    expect(await person.run(args)).toEqual({ code: 2, stdout: "", stderr });
  });
});
