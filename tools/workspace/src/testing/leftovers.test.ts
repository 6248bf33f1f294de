import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import setup, { endLeftover, findLeftovers } from "./leftovers.ts";

const idle = "setInterval(() => {}, 1000)";
const temporary = process.env.TMPDIR;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "leftovers-"));
});
afterEach(() => {
  process.env.TMPDIR = temporary;
  rmSync(folder, { recursive: true, force: true });
});

const start = async (args: string[], env: NodeJS.ProcessEnv, output: number | "ignore" = "ignore") => {
  const child = spawn(process.execPath, args, { env, detached: true, stdio: ["ignore", output, "ignore"] });
  await once(child, "spawn");
  return child;
};

// Other systems have no /proc to look into.
describe.runIf(process.platform === "linux")("processes that outlive their tests", () => {
  it("are found by the folder that they inherited, by what they were told, and by what they hold open", async () => {
    const program = join(folder, "program.mjs");
    writeFileSync(program, idle);
    const heir = await start(["-e", idle], { TMPDIR: folder });
    const told = await start([program], {});
    const log = openSync(join(folder, "log"), "w");
    const holder = await start(["-e", idle], {}, log);
    closeSync(log);
    const stranger = await start(["-e", idle], { TMPDIR: `${folder}-other` });
    try {
      const found = findLeftovers(folder).map(({ pid }) => pid);
      expect(found.sort()).toEqual([heir.pid, told.pid, holder.pid].sort());
    } finally {
      for (const child of [heir, told, holder, stranger]) {
        child.kill("SIGKILL");
        await once(child, "exit");
      }
    }
    expect(findLeftovers(folder)).toEqual([]);
  });

  it("can be ended, also when they were quicker", async () => {
    const child = await start(["-e", idle], { TMPDIR: folder });
    const [leftover] = findLeftovers(folder);
    if (!leftover) throw new Error("It wasn't found.");
    endLeftover(leftover);
    await once(child, "exit");
    expect(() => endLeftover(leftover)).not.toThrow();
  });

  it("fail the run, which ends them and removes its folder", async () => {
    process.env.TMPDIR = folder;
    const teardown = await setup();
    const own = process.env.TMPDIR ?? "";
    expect(own.startsWith(`${folder}/`)).toBe(true);
    writeFileSync(join(own, "forgotten.txt"), "");
    const child = await start(["-e", idle], { TMPDIR: own });
    const exited = once(child, "exit");

    await expect(teardown()).rejects.toThrow(new RegExp(`process ${child.pid}: [^]*forgotten\\.txt`));
    expect((await exited)[1]).toBe("SIGKILL");
    expect(() => writeFileSync(join(own, "x"), "")).toThrow("ENOENT");
  });

  it("aren't missed where there are none", async () => {
    process.env.TMPDIR = folder;
    const teardown = await setup();
    await expect(teardown()).resolves.toBeUndefined();
  });
});
