import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { openFolderStore } from "@kinora/storage";
import { temporaryFolder } from "@kinora/testing";
import { expect, it } from "vitest";
import { openFolderUploads } from "./folder-uploads.ts";

const video = { id: "6fa459ea-ee8a-3ca4-894e-db77e160355e", sizeBytes: 6 };

async function* bytes(text: string) {
  yield Buffer.from(text);
}

async function setUp() {
  const folder = await temporaryFolder();
  const storage = await openFolderStore({
    folder: join(folder.path, "objects"),
    secretFile: join(folder.path, "secret"),
    baseUrl: () => "http://localhost",
  });
  const uploads = await openFolderUploads(join(folder.path, "uploads"), storage);
  return { uploads, folder, files: () => readdir(join(folder.path, "uploads")) };
}

it("what was made a source of has been received, before the database notes it and after it", async () => {
  const { uploads, folder, files } = await setUp();
  await using _ = folder;
  expect(await uploads.received(video.id)).toBe(0);
  expect(await uploads.write(video, bytes("abc"), 0)).toBe(3);
  expect(await uploads.received(video.id)).toBe(3);
  expect(await uploads.finish(video)).toBe(false);
  expect(await uploads.write(video, bytes("def"), 3)).toBe(6);
  expect(await uploads.finish(video)).toBe(true);
  // In this moment somebody who waited for the upload gets to it: it hasn't begun anew.
  expect(await uploads.received(video.id)).toBe(6);
  await expect(uploads.write(video, bytes(""), 6)).rejects.toMatchObject({ status_code: 409 });
  expect(await files()).toEqual([]);
  expect(await uploads.finish(video)).toBe(true);
});

it("bytes for another place than the next are refused, and leave nothing behind", async () => {
  const { uploads, folder, files } = await setUp();
  await using _ = folder;
  await expect(uploads.write(video, bytes("def"), 3)).rejects.toMatchObject({ status_code: 409 });
  expect(await files()).toEqual([]);
  await uploads.write(video, bytes("abc"), 0);
  await expect(uploads.write(video, bytes("x"), 2)).rejects.toMatchObject({ status_code: 409 });
  expect(await uploads.received(video.id)).toBe(3);
});
