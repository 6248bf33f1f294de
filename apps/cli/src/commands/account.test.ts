import { chmod, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createPerson, installLocally, type Person } from "../testing/command-line.ts";

let person: Person;
beforeEach(async () => {
  person = await createPerson();
});
afterEach(() => person[Symbol.asyncDispose]());

const password = "correct horse battery staple";
const login = () =>
  person.run(["login", person.kinora.owner.email, "--password-stdin"], { input: `${person.kinora.owner.password}\n` });
const sessions = () => readFile(join(person.path("config"), "kinora", "sessions.json"), "utf8");
const countOf = (name: string) => person.kinora.calls.filter((call) => call === name).length;

describe("signup, login, whoami, logout", () => {
  it("makes an account and logs in", async () => {
    const made = await person.run(["signup", "ada@example.com", "--name", "Ada"], { input: password });
    expect(made).toMatchObject({ code: 0, stdout: "" });
    expect(made.stderr).toContain("Welcome, Ada.");
    const who = await person.run(["whoami"]);
    expect(who.code).toBe(0);
    expect(who.stdout).toMatch(/^E-mail {2}ada@example\.com\nName {4}Ada\nRole {4}member\nID {6}.*\nServer {2}http/);
    const json = await person.run(["whoami", "--json"]);
    expect(JSON.parse(json.stdout)).toMatchObject({ email: "ada@example.com", role: "ROLE_MEMBER" });
  });

  it("keeps the session in a file that only its owner can read, and no password in it", async () => {
    expect(await login()).toMatchObject({ code: 0 });
    const path = join(person.path("config"), "kinora", "sessions.json");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(person.path("config"), "kinora"))).mode & 0o777).toBe(0o700);
    expect(await sessions()).not.toContain(person.kinora.owner.password);
  });

  it("ends the session here and at the server", async () => {
    await login();
    const { code, stderr } = await person.run(["logout"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: `Logged out owner@localhost from ${person.kinora.url}.\n` });
    expect(countOf("RevokeSession")).toBe(1);
    expect(await sessions()).not.toContain("refresh-");
    expect(await person.run(["list"])).toMatchObject({ code: 1 });
    expect(await person.run(["logout"])).toMatchObject({ code: 0, stderr: "You were not logged in.\n" });
  });

  it.each([
    [
      ["login", "owner@localhost"],
      "wrong password, long enough",
      1,
      /^kinora: The e-mail address or the password is wrong\.\n$/,
    ],
    [
      ["login", "owner@localhost"],
      "",
      2,
      /^kinora: No password came on standard input: its first line must be the password\.\n$/,
    ],
    [["login"], password, 2, /^kinora: Whose login\? Use: kinora login EMAIL\n$/],
    [
      ["signup", "owner@localhost", "--name", "x"],
      password,
      1,
      /^kinora: You are not logged in: The e-mail address or the password is wrong\. If owner@localhost has an account already, use "kinora login"/,
    ],
    [["signup", "x@example.com"], password, 2, /^kinora: Without a terminal, give everything/],
    [["signup", "x@example.com", "--name", "x"], "short", 1, /^kinora: Password: too short\.\n$/],
    [["whoami"], "", 1, /^kinora: You are not logged in at http.*: use "kinora login"/],
    [["token"], "", 1, /^kinora: You are not logged in/],
  ])("%j with the password %j is refused in one line", async (args, input, code, message) => {
    const result = await person.run(args, { input });
    expect(result.stderr).toMatch(message);
    expect(result).toMatchObject({ code, stdout: "" });
    expect(result.stderr.trim().split("\n")).toHaveLength(1);
  });
});

describe("access tokens", () => {
  it("are printed for other programs, with some minutes to live", async () => {
    await login();
    const first = await person.run(["token"]);
    expect(first.stdout).toMatch(/^access-.*\n$/);
    expect(await person.run(["token"])).toEqual(first);
    person.kinora.script.accessMs = 4 * 60_000;
    await login();
    await person.run(["token"]);
    expect(countOf("RefreshSession")).toBe(1);
  });

  it("are replaced when a server no longer takes them", async () => {
    await login();
    person.kinora.revokeAccess();
    expect(await person.run(["whoami"])).toMatchObject({ code: 0 });
    expect(countOf("RefreshSession")).toBe(1);
  });

  it("are refreshed once by ten commands at the same time, and the session lives on", async () => {
    person.kinora.script.accessMs = 1_000;
    await login();
    person.kinora.script.accessMs = 600_000;
    const results = await Promise.all(Array.from({ length: 10 }, () => person.run(["whoami"])));
    expect(results.map(({ code }) => code)).toEqual(Array(10).fill(0));
    expect(countOf("RefreshSession")).toBe(1);
  });

  it("end with the session, which is told in words", async () => {
    await login();
    const content = JSON.parse(await sessions()) as { sessions: Record<string, { refreshToken: string }> };
    for (const session of Object.values(content.sessions)) session.refreshToken = "refresh-of-another-time";
    await writeFile(join(person.path("config"), "kinora", "sessions.json"), JSON.stringify(content));
    person.kinora.revokeAccess();
    const { code, stderr } = await person.run(["whoami"]);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `kinora: Your login at ${person.kinora.url} has ended: use "kinora login".\n`,
    });
  });

  it("survive the lock of a command that was killed", async () => {
    await login();
    person.kinora.revokeAccess();
    await writeFile(join(person.path("config"), "kinora", "sessions.lock"), "999999999");
    expect(await person.run(["whoami"])).toMatchObject({ code: 0 });
  });
});

describe("a Kinora of this machine", () => {
  const local = { env: { KINORA_SERVER: undefined } };

  it("is found by its run files and used as its owner, with no login", async () => {
    await installLocally(person);
    const { code, stdout } = await person.run(["whoami"], local);
    expect(code).toBe(0);
    expect(stdout).toContain("owner@localhost");
    await person.run(["whoami"], local);
    expect(countOf("CreateSession")).toBe(1);
  });

  it("is used as its owner when it is named as a server, too", async () => {
    await installLocally(person);
    expect(await person.run(["list", "--server", person.kinora.url.replace("127.0.0.1", "localhost")])).toMatchObject({
      code: 0,
    });
  });

  it("logs in as the owner again when its data was made anew", async () => {
    await installLocally(person);
    await person.run(["whoami"], local);
    const other = await createPerson();
    await other.kinora.stop();
    person.kinora.revokeAccess();
    await person.run(["whoami"], local);
    expect(countOf("RefreshSession")).toBe(1);
    await other[Symbol.asyncDispose]();
    const content = (await sessions()).replaceAll(/refresh-[0-9a-f-]+/g, "refresh-of-another-database");
    await writeFile(join(person.path("config"), "kinora", "sessions.json"), content);
    person.kinora.revokeAccess();
    expect(await person.run(["whoami"], local)).toMatchObject({ code: 0 });
    expect(countOf("CreateSession")).toBe(2);
  });

  it("keeps a login that somebody made, and goes back to the owner after logout", async () => {
    await installLocally(person);
    await person.run(["signup", "ada@example.com", "--name", "Ada"], { ...local, input: password });
    expect((await person.run(["whoami"], local)).stdout).toContain("ada@example.com");
    expect((await person.run(["logout"], local)).stderr).toContain("acts as the local owner again");
    expect((await person.run(["whoami"], local)).stdout).toContain("owner@localhost");
    await person.run(["logout"], local);
    expect((await person.run(["login"], local)).stderr).toContain("as its owner, owner@localhost.");
  });

  it("never sends the owner's password elsewhere", async () => {
    await installLocally(person);
    const other = await createPerson();
    const result = await person.run(["list", "--server", other.kinora.url]);
    expect(result.stderr).toContain("You are not logged in");
    expect(other.kinora.calls).toEqual([]);
    await other[Symbol.asyncDispose]();
  });

  it("is not taken for running when its process is dead", async () => {
    await installLocally(person);
    const place = JSON.stringify({ url: person.kinora.url, pid: 999_999_999 });
    await writeFile(join(person.path("data"), "run", "user.json"), place);
    await writeFile(join(person.path("data"), "run", "encoder.json"), place);
    expect((await person.run(["list"], local)).stderr).toMatch(
      /^kinora: (No Kinora answers at http:\/\/localhost:8080\. Start it with "npm start"|You are not logged in|What answers at)/,
    );
  });

  it("says what to do when the owner's password was changed", async () => {
    await installLocally(person);
    person.kinora.owner.password = "another password, as long";
    await installLocally(person);
    expect(await person.run(["list"], local)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('log in with "kinora login owner@localhost"') as string,
    });
  });

  it("says what is wrong with a credential that can't be used", async () => {
    await installLocally(person);
    const path = join(person.path("data"), "credentials", "owner.json");
    await writeFile(path, "{");
    await chmod(path, 0o600);
    expect((await person.run(["list"], local)).stderr).toContain("owner.json is damaged");
  });
});

describe("servers", () => {
  it.each([
    [
      "http://127.0.0.1:1",
      1,
      'kinora: No Kinora answers at http://127.0.0.1:1. Start it with "npm start", or give --server URL.\n',
    ],
    [
      "localhost:8080",
      2,
      'kinora: "localhost:8080" is no server\'s address; it looks like https://kinora.example.com.\n',
    ],
    ["ftp://x", 2, 'kinora: "ftp://x" is no server\'s address; it looks like https://kinora.example.com.\n'],
  ])("%s: says what is wrong", async (server, code, stderr) => {
    expect(await person.run(["list", "--server", server])).toEqual({ code, stdout: "", stderr });
  });
});
