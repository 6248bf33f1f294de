import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { temporaryFolder } from "@kinora/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import { openFolderStore } from "./folder-store.ts";
import { InvalidKeyError, LengthMismatchError, StorageFullError } from "./object-store.ts";
import { storageFault } from "./storage-fault.ts";

async function setUp() {
  const folder = await temporaryFolder();
  onTestFinished(() => folder.remove());
  const open = () =>
    openFolderStore({
      folder: join(folder.path, "objects"),
      secretFile: join(folder.path, "signing-secret"),
      baseUrl: () => "http://127.0.0.1:1",
    });
  return { path: folder.path, open, store: await open() };
}

const text = async (
  store: Awaited<ReturnType<typeof setUp>>["store"],
  key: string,
  range?: { start: number; end: number },
) => {
  const object = await store.get(key, range ? { range } : {});
  return object && (await buffer(object.body)).toString();
};

/** Every file below a folder, relative to it. */
async function files(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

describe("the folder store", () => {
  it("keeps objects, whole and in part", async () => {
    const { store } = await setUp();
    const stat = await store.put("videos/v/source", "hello world");
    expect(stat.bytes).toBe(11);
    expect(await store.stat("videos/v/source")).toEqual(stat);
    expect(await text(store, "videos/v/source")).toBe("hello world");
    expect(await text(store, "videos/v/source", { start: 6, end: 10 })).toBe("world");
    expect(await store.get("videos/v")).toBeUndefined();
    expect(await store.get("videos/v/source/x")).toBeUndefined();
    expect(await store.stat("videos/w/source")).toBeUndefined();
    const replaced = await store.put("videos/v/source", Buffer.from("other"));
    expect(replaced.etag).not.toBe(stat.etag);
    expect(await text(store, "videos/v/source")).toBe("other");
  });

  it("leaves nothing of a body that is too short, too long or breaks off", async () => {
    const { store, path } = await setUp();
    const broken = async function* () {
      yield Buffer.from("abc");
      throw new Error("the line went dead");
    };
    await expect(store.put("a/b", "abc", { bytes: 4 })).rejects.toThrow(LengthMismatchError);
    await expect(store.put("a/b", "abc", { bytes: 2 })).rejects.toThrow(LengthMismatchError);
    await expect(store.put("a/b", broken())).rejects.toThrow("the line went dead");
    await expect(store.put("a/b", "abc", { signal: AbortSignal.abort() })).rejects.toThrow();
    expect(await files(join(path, "objects"))).toEqual([]);
  });

  it("stops writing when it is told to", async () => {
    const { store, path } = await setUp();
    const abort = new AbortController();
    const endless = async function* () {
      for (;;) {
        yield Buffer.alloc(1000);
        await delay(1);
      }
    };
    setTimeout(() => abort.abort(new Error("enough")), 20);
    await expect(store.put("a/b", endless(), { signal: abort.signal })).rejects.toThrow("enough");
    expect(await files(join(path, "objects"))).toEqual([]);
  });

  it("lists and deletes what lies below a prefix, and nothing else", async () => {
    const { store, path } = await setUp();
    for (const key of ["v/1/a", "v/1/b/c", "v/12/a", "v/2"]) await store.put(key, key);
    const listed = await Array.fromAsync(store.list("v/1/"));
    expect(listed.sort((a, b) => a.key.localeCompare(b.key))).toEqual([
      { key: "v/1/a", bytes: 5 },
      { key: "v/1/b/c", bytes: 7 },
    ]);
    for (let index = 0; index < 150; index += 1) await store.put(`many/${index}`, "x".repeat(index));
    const many = await Array.fromAsync(store.list("many/"));
    expect(many.length).toBe(150);
    expect(many.every(({ key, bytes }) => key === `many/${bytes}`)).toBe(true);
    await store.deletePrefix("many/");
    await store.deletePrefix("v/1/");
    await store.deletePrefix("v/1/");
    expect((await files(join(path, "objects"))).sort()).toEqual(["v/12/a", "v/2"]);
    expect(await Array.fromAsync(store.list("v/1/"))).toEqual([]);
    await expect(store.deletePrefix("")).rejects.toThrow(InvalidKeyError);
    await store.deletePrefix("v/12/");
    expect(await readdir(join(path, "objects", "v"))).toEqual(["2"]);
  });

  it("adopts a file without copying it", async () => {
    const { store, path } = await setUp();
    const file = join(path, "upload");
    await writeFile(file, "uploaded");
    const { ino } = await stat(file);
    expect((await store.adopt("videos/v/source", file)).bytes).toBe(8);
    expect((await stat(join(path, "objects/videos/v/source"))).ino).toBe(ino);
    await expect(store.adopt("videos/v/source", file)).rejects.toThrow("ENOENT");
    expect(await text(store, "videos/v/source")).toBe("uploaded");
  });

  it("keeps its secret over a restart, whoever makes it, and for its owner alone", async () => {
    const { open, path, store } = await setUp();
    const stores = await Promise.all([open(), open(), open()]);
    for (const other of stores) expect(Buffer.from(other.secret)).toEqual(Buffer.from(store.secret));
    expect((await stat(join(path, "signing-secret"))).mode & 0o777).toBe(0o600);
    expect(await readdir(path)).toEqual(["objects", "signing-secret"]);
    await writeFile(join(path, "signing-secret"), "short");
    await expect(open()).rejects.toThrow(/damaged: delete it/);
  });

  it("says that the disk is full when it is", async () => {
    const { store, path } = await setUp();
    // The one full device that every Linux has: writing to it fails with ENOSPC, as on a real full disk.
    await mkdir(join(path, "full"));
    await symlink("/dev/full", join(path, "full/upload"));
    const fault = await writeFile(join(path, "full/upload"), "x").catch(storageFault);
    expect(fault).toBeInstanceOf(StorageFullError);
    expect(storageFault(new Error("other"))).not.toBeInstanceOf(StorageFullError);
    expect((await store.put("a", "still works")).bytes).toBe(11);
  });

  it("removes what a crash left behind, but nothing that may still be written", async () => {
    const { open, path } = await setUp();
    await mkdir(join(path, "objects/.scratch"), { recursive: true });
    await mkdir(join(path, "objects/.trash/x"), { recursive: true });
    await writeFile(join(path, "objects/.scratch/new"), "x");
    await writeFile(join(path, "objects/.scratch/old"), "x");
    await utimes(join(path, "objects/.scratch/old"), new Date(0), new Date(0));
    await writeFile(join(path, "objects/.trash/x/y"), "x");
    await open();
    expect(await files(join(path, "objects"))).toEqual([".scratch/new"]);
  });

  it("takes many writers of one key: one of them wins as a whole", async () => {
    const { store, path } = await setUp();
    const bodies = Array.from({ length: 8 }, () => randomBytes(300_000));
    await Promise.all(bodies.map((body) => store.put("a/b", body)));
    const kept = await readFile(join(path, "objects/a/b"));
    expect(bodies.some((body) => body.equals(kept))).toBe(true);
    expect(await files(join(path, "objects"))).toEqual(["a/b"]);
  });
});
