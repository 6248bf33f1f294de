import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, join } from "node:path";
import { temporaryFolder } from "@kinora/testing";
import { expect, it } from "vitest";
import { openSpool } from "./spool.ts";

it("removes what dead processes of this machine left, and nothing else", async () => {
  await using folder = await temporaryFolder();
  const root = join(folder.path, "worker");
  const own = await openSpool(root);
  await writeFile(join(await own.taskFolder(), "1.m4s"), "mine");

  const dead = spawn(process.execPath, ["-e", ""]);
  await once(dead, "exit");
  const living = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60_000)"]);
  const host = hostname().replaceAll(/[^A-Za-z0-9-]/g, "-");
  const [, , startedAt] = basename(own.path).split(".").slice(-4);
  const stale = [`${host}.${dead.pid}.1700000000000.abc123`, `${host}.${process.pid}.1700000000000.abc123`];
  const kept = [
    `${host}.${living.pid}.1700000000000.abc123`,
    `another-machine.${dead.pid}.1700000000000.abc123`,
    `${host}.${process.pid}.${startedAt}.other1`,
    "something-else",
  ];
  for (const name of [...stale, ...kept]) {
    await mkdir(join(root, name, "task-1"), { recursive: true });
    await writeFile(join(root, name, "task-1", "2.m4s"), "bytes");
  }
  try {
    const next = await openSpool(root);
    const names = await readdir(root);
    expect(names.toSorted()).toEqual([...kept, basename(own.path), basename(next.path)].toSorted());
    await next.remove();
    await own.remove();
    expect((await readdir(root)).toSorted()).toEqual(kept.toSorted());
  } finally {
    living.kill();
  }
});

it("is for this user alone", async () => {
  await using folder = await temporaryFolder();
  const root = join(folder.path, "worker");
  const spool = await openSpool(root);
  expect((await stat(root)).mode & 0o777).toBe(0o700);
  expect((await stat(spool.path)).mode & 0o777).toBe(0o700);
});
