import { chmod, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "@kinora/testing";
import { describe, expect, it } from "vitest";
import { announce } from "./announce.ts";
import { prepareDataDir } from "./data-dir.ts";
import { localCredential } from "./local-credential.ts";
import { StartupError } from "./startup-error.ts";

const permissions = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

describe("prepareDataDir", () => {
  it("makes the folder for its owner alone", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "a/b");
    expect(await prepareDataDir(path)).toBe(path);
    expect(await permissions(path)).toBe("700");
    expect(await readdir(path)).toEqual([]);
    expect(await prepareDataDir(path)).toBe(path);
  });

  it("says what to do where a file is in its way", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "file");
    await writeFile(path, "");
    await expect(prepareDataDir(path)).rejects.toThrow(StartupError);
    await expect(prepareDataDir(join(path, "below"))).rejects.toThrow(/file is in its way.*KINORA_DATA/);
  });

  it.skipIf(process.getuid?.() === 0)("says what to do where it may not write", async () => {
    await using folder = await temporaryFolder();
    await chmod(folder.path, 0o500);
    await expect(prepareDataDir(folder.path)).rejects.toThrow(/not allowed to use .*KINORA_DATA/);
    await chmod(folder.path, 0o700);
  });
});

describe("localCredential", () => {
  it("is one for all who ask at the same moment, for their eyes only", async () => {
    await using folder = await temporaryFolder();
    const all = await Promise.all(Array.from({ length: 20 }, () => localCredential(folder.path, "worker")));
    expect(new Set(all).size).toBe(1);
    expect(all[0]).toMatch(/^[\w-]{43}$/);
    expect(await localCredential(folder.path, "service")).not.toBe(all[0]);
    expect(await permissions(join(folder.path, "credentials"))).toBe("700");
    expect(await permissions(join(folder.path, "credentials/worker"))).toBe("600");
    expect((await readdir(join(folder.path, "credentials"))).sort()).toEqual(["service", "worker"]);
  });

  it("takes what somebody put there", async () => {
    await using folder = await temporaryFolder();
    await mkdir(join(folder.path, "credentials"));
    await writeFile(join(folder.path, "credentials/service"), "chosen-by-somebody\n");
    expect(await localCredential(folder.path, "service")).toBe("chosen-by-somebody");
  });

  it.each(["", "short", "with space in the middle"])("says what to do about a file with %j in it", async (content) => {
    await using folder = await temporaryFolder();
    await mkdir(join(folder.path, "credentials"));
    await writeFile(join(folder.path, "credentials/service"), content);
    await expect(localCredential(folder.path, "service")).rejects.toThrow(
      /credentials\/service doesn't hold a credential: delete it/,
    );
  });
});

describe("announce", () => {
  it("tells where a service is, until it ends", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "run/user.json");
    const withdraw = await announce(folder.path, "user", "http://localhost:8081");
    expect(JSON.parse(await readFile(path, "utf8"))).toEqual({ url: "http://localhost:8081", pid: process.pid });
    expect(await readdir(join(folder.path, "run"))).toEqual(["user.json"]);
    await withdraw();
    await withdraw();
    expect(await readdir(join(folder.path, "run"))).toEqual([]);
  });

  it("leaves the announcement of whoever came after", async () => {
    await using folder = await temporaryFolder();
    const withdraw = await announce(folder.path, "user", "http://localhost:8081");
    const next = JSON.stringify({ url: "http://localhost:9000", pid: 1 });
    await writeFile(join(folder.path, "run/user.json"), next);
    await withdraw();
    expect(await readFile(join(folder.path, "run/user.json"), "utf8")).toBe(next);
  });
});
