import { mkdir, readdir, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { temporaryFolder } from "@kinora/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import { openFolderStore } from "./folder-store.ts";
import { LengthMismatchError, StorageFullError } from "./object-store.ts";
import { storageFault } from "./storage-fault.ts";
import { describeStore } from "./testing/conformance.ts";

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

describeStore("a folder", async () => (await setUp()).store);

describe("the folder store", () => {
  it("leaves no file of a body that is too short, too long or breaks off", async () => {
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

  it("removes the folders that deleting empties", async () => {
    const { store, path } = await setUp();
    for (const key of ["v/1/a", "v/12/a", "v/2"]) await store.put(key, key);
    await store.deletePrefix("v/1/");
    expect((await files(join(path, "objects"))).sort()).toEqual(["v/12/a", "v/2"]);
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
});
