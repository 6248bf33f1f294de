import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "@kinora/testing";
import { expect, it } from "vitest";
import { openLogFile } from "./log-file.ts";

it("keeps at most two files of the given size, and the newest lines in memory", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "postgres.log");
  const log = openLogFile(path, 1_000);
  for (let line = 1; line <= 500; line++) log.write(`line ${line}\n`);
  expect(log.lastLines(2)).toEqual(["line 499", "line 500"]);
  log.close();

  const [size, former] = [(await stat(path)).size, (await stat(`${path}.1`)).size];
  expect(size).toBeLessThan(1_100);
  expect(former).toBeLessThan(1_100);
  expect((await readFile(`${path}.1`, "utf8")) + (await readFile(path, "utf8"))).toMatch(/line 499\nline 500\n$/);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

it("goes on where it stopped, and counts what was there", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "postgres.log");
  await writeFile(path, "x".repeat(1_000));
  const log = openLogFile(path, 1_000);
  log.write("new\n");
  log.close();
  expect(await readFile(path, "utf8")).toBe("new\n");
});

it("needs no file", () => {
  const log = openLogFile("/nowhere/postgres.log");
  log.write("a\n\nb\n");
  expect(log.lastLines(5)).toEqual(["a", "b"]);
  log.close();
});
