import { chmod, cp, mkdir, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "@kinora/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newOwner } from "../data-owner.ts";
import { runChild } from "../run-child.ts";
import { missingLinks } from "./library-links.ts";
import { locateBinaries } from "./locate-binaries.ts";
import { packageFolder } from "./package-folder.ts";
import { privateCopy } from "./private-copy.ts";

const isRoot = process.getuid?.() === 0;
const runAs = newOwner();

let root: string;
let removeRoot: () => Promise<void>;
/** The installed package as npm leaves it when it runs no install scripts, below a folder that nobody else may enter. */
let native: string;
let links: number;

beforeAll(async () => {
  const folder = await temporaryFolder();
  root = folder.path;
  removeRoot = folder.remove;
  await chmod(root, 0o755);
  native = join(root, "home", "native");
  await mkdir(join(root, "home"), { mode: 0o700 });
  await cp(packageFolder(), native, { recursive: true, verbatimSymlinks: true });
  links = await removeLinks();
});
afterAll(async () => {
  await chmod(join(native, "lib"), 0o755);
  await removeRoot();
});

async function removeLinks(): Promise<number> {
  const lib = join(native, "lib");
  const found = (await readdir(lib, { withFileTypes: true })).filter((entry) => entry.isSymbolicLink());
  for (const { name } of found) await rm(join(lib, name));
  return found.length;
}

it("uses the package where it is when that works", async () => {
  const { postgres } = await locateBinaries({ dataDir: root });
  expect(postgres).toBe(join(packageFolder(), "bin", "postgres"));
});

it("makes the links that an install script would have made", async () => {
  expect(links).toBeGreaterThan(0);
  expect(missingLinks(native)).toHaveLength(links);
  const { initdb } = await locateBinaries({ dataDir: root, native });
  expect(missingLinks(native)).toEqual([]);
  expect(initdb).toBe(join(native, "bin", "initdb"));
  await removeLinks();
});

it.runIf(!isRoot)("makes a private copy with the links when the package can't be written", async () => {
  await chmod(join(native, "lib"), 0o555);
  const { postgres } = await locateBinaries({ dataDir: root, native });
  expect(postgres.startsWith(join(root, "cache", "postgres-"))).toBe(true);
  await chmod(join(native, "lib"), 0o755);
});

it.runIf(isRoot)("makes a private copy when the user that runs Postgres can't reach the package", async () => {
  const cache = join(root, "cache-of-root");
  const { postgres, initdb } = await locateBinaries({ dataDir: root, native, runAs, caches: [cache] });
  expect(postgres.startsWith(join(cache, "postgres-"))).toBe(true);
  const { output } = await runChild(initdb, ["--version"], { runAs, timeoutMs: 30_000 });
  expect(output).toContain("(PostgreSQL) 18");
});

it("says in one sentence when there is no way", async () => {
  const empty = join(root, "empty");
  for (const folder of ["bin", "lib", "share"]) await mkdir(join(empty, folder), { recursive: true });
  await expect(locateBinaries({ dataDir: root, native: empty })).rejects.toThrow(
    /^The embedded Postgres in .*empty can't be run on this machine \(.* is missing\)\. Set DATABASE_URL/,
  );
});

it("says so on machines for which there is none", () => {
  expect(() => packageFolder("linux-riscv64")).toThrow("There is no embedded Postgres for linux-riscv64.");
  expect(() => packageFolder("win32-x64")).toThrow(/WSL/);
});

describe("privateCopy", () => {
  /** A small package. */
  async function small(name: string): Promise<string> {
    const folder = join(root, name);
    for (const path of ["bin", "lib/postgresql", "share/postgresql"]) {
      await mkdir(join(folder, path), { recursive: true, mode: 0o700 });
    }
    await writeFile(join(folder, "bin", "postgres"), "program", { mode: 0o700 });
    await writeFile(join(folder, "lib", "libx.so.1.2"), "library", { mode: 0o600 });
    await writeFile(join(folder, "lib", "libx.a"), "static library");
    await writeFile(
      join(folder, "pg-symlinks.json"),
      JSON.stringify([{ source: "native/lib/libx.so.1.2", target: "native/lib/libx.so.1" }]),
    );
    return folder;
  }

  it("is whole, readable by everybody, and the same for all who start at once", async () => {
    const cache = join(root, "cache-1");
    const package_ = await small("small-1");
    const copies = await Promise.all(Array.from({ length: 8 }, () => privateCopy(package_, cache)));
    const [copy = ""] = copies;
    expect(new Set(copies)).toEqual(new Set([copy]));
    expect(await readdir(cache)).toHaveLength(1);
    expect(await readFile(join(copy, "lib", "libx.so.1"), "utf8")).toBe("library");
    expect((await readdir(join(copy, "lib"))).sort()).toEqual(["libx.so.1", "libx.so.1.2", "postgresql"]);
    for (const [path, mode] of [
      ["", 0o755],
      ["lib", 0o755],
      ["bin/postgres", 0o755],
      ["lib/libx.so.1.2", 0o644],
    ] as const) {
      expect((await stat(join(copy, path))).mode & 0o777).toBe(mode);
    }
  });

  it("is made anew when part of it is gone, and another when the package changes", async () => {
    const cache = join(root, "cache-2");
    const package_ = await small("small-2");
    const copy = await privateCopy(package_, cache);
    await truncate(join(copy, "lib", "libx.so.1.2"));
    expect(await privateCopy(package_, cache)).toBe(copy);
    expect(await readFile(join(copy, "lib", "libx.so.1"), "utf8")).toBe("library");
    expect(await readdir(cache)).toHaveLength(1);

    await writeFile(join(package_, "bin", "postgres"), "another program");
    expect(await privateCopy(package_, cache)).not.toBe(copy);
  });

  it("isn't put where others may write, nor taken from there", async () => {
    const cache = join(root, "cache-3");
    await mkdir(cache);
    await chmod(cache, 0o777);
    await expect(privateCopy(await small("small-3"), cache)).rejects.toThrow(/only this user may write to/);
  });
});
