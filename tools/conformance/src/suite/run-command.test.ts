import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { runCommand } from "./run-command.ts";

const options = { cwd: process.cwd(), env: process.env, milliseconds: 30_000 };
const node = (script: string, more: object = {}) =>
  runCommand(process.execPath, ["-e", script], { ...options, ...more });

/** A script whose child would outlive it. */
const withChild = `
  const child = require("node:child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
  console.log(child.pid);
`;

async function isGone(pid: number): Promise<boolean> {
  for (let patience = 0; patience < 200; patience++) {
    try {
      process.kill(pid, 0);
    } catch {
      return true;
    }
    await sleep(20);
  }
  return false;
}

describe("a command", () => {
  it("says what it says, on both ways, and with which code it ends", async () => {
    let echoed = "";
    const ended = await node("console.log('out'); console.error('err'); process.exitCode = 3", {
      echo: (text: string) => {
        echoed += text;
      },
    });
    expect(ended.code).toBe(3);
    expect(ended.output.split("\n").sort()).toEqual(["", "err", "out"]);
    expect(echoed).toBe(ended.output);
  });

  it("that can't be started rejects", async () => {
    await expect(runCommand("no-such-program", [], options)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("takes along what it has started", async () => {
    const { code, output } = await node(`${withChild}\nchild.unref();`);
    expect(code).toBe(0);
    expect(await isGone(Number(output))).toBe(true);
  });

  it("that takes too long is ended, with what it has started", async () => {
    const { code, output } = await node(`${withChild}\nsetInterval(() => {}, 1000);`, { milliseconds: 2_000 });
    expect(code).toBeUndefined();
    expect(await isGone(Number(output))).toBe(true);
  });

  it("is ended by its signal", async () => {
    const stop = new AbortController();
    const echo = () => stop.abort(new Error("enough"));
    await expect(node(`${withChild}\nsetInterval(() => {}, 1000);`, { signal: stop.signal, echo })).rejects.toThrow(
      "enough",
    );
  });
});
