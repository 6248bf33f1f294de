import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "@kinora/testing";
import { expect, it } from "vitest";
import { createDelivery } from "./delivery.ts";

it("announces files when they are whole, and settles when all are taken", async () => {
  await using folder = await temporaryFolder();
  const announced: [string, number][] = [];
  const delivery = createDelivery({
    outDir: folder.path,
    announce: async (path, bytes) => {
      expect(await readFile(join(folder.path, path), "utf8")).toHaveLength(bytes);
      announced.push([path, bytes]);
    },
  });
  await delivery.deliver("720p/init.mp4", Buffer.from("abc"));
  await delivery.deliver("poster.jpg", Buffer.from("de"));
  expect(announced).toEqual([
    ["720p/init.mp4", 3],
    ["poster.jpg", 2],
  ]);
  let isSettled = false;
  const settling = delivery.settled().then(() => {
    isSettled = true;
  });
  delivery.taken("poster.jpg");
  await new Promise((resolve) => setImmediate(resolve));
  expect(isSettled).toBe(false);
  delivery.taken("720p/init.mp4");
  await settling;
  expect((await readdir(folder.path, { recursive: true })).sort()).toEqual(["720p", "720p/init.mp4", "poster.jpg"]);
});

it("makes the writer wait while too many bytes lie about", async () => {
  await using folder = await temporaryFolder();
  const delivery = createDelivery({ outDir: folder.path, announce: async () => {} });
  const log: string[] = [];
  const writing = delivery.deliver("1.m4s", Buffer.alloc(257 * 2 ** 20)).then(() => log.push("written"));
  while (!(await readdir(folder.path)).includes("1.m4s")) await new Promise((resolve) => setTimeout(resolve, 10));
  await new Promise((resolve) => setTimeout(resolve, 50));
  log.push("taken");
  delivery.taken("1.m4s");
  await writing;
  expect(log).toEqual(["taken", "written"]);
});

it("bounds the bytes of all files together, and tells when the disk can't take them", async () => {
  await using folder = await temporaryFolder();
  const delivery = createDelivery({ outDir: folder.path, outputLimitBytes: 10, announce: async () => {} });
  await delivery.deliver("a", Buffer.alloc(6));
  delivery.taken("a");
  await expect(delivery.deliver("b", Buffer.alloc(6))).rejects.toMatchObject({ kind: "input" });
  const nowhere = createDelivery({ outDir: "/dev/null", announce: async () => {} });
  await expect(nowhere.deliver("a", Buffer.alloc(1))).rejects.toMatchObject({ kind: "machine" });
});
