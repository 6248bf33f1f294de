import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { startNode, waitUntil } from "@kinora/testing";
import { describe, expect, it } from "vitest";

function run(behaviour: string, env: Record<string, string> = {}) {
  return startNode("libs/service/src/testing/program.ts", { env: { BEHAVIOUR: behaviour, ...env } });
}

async function started(behaviour: string) {
  const program = run(behaviour);
  await waitUntil("the program starts", () => program.output().includes("started"));
  return program;
}

describe.concurrent("a program that is told to end", () => {
  it.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("by %s closes and exits with 0", async (signal) => {
    const program = await started("closes well");
    const exit = await program.stop(signal);
    expect(exit).toMatchObject({ code: 0, signal: null, stderr: "" });
    expect(exit.stdout).toContain("closed");
  });

  it("takes two signals at the same moment for one", async () => {
    const program = await started("closes well");
    process.kill(program.pid, "SIGINT");
    await sleep(20);
    const exit = await program.stop("SIGINT");
    expect(exit).toMatchObject({ code: 0, signal: null });
    expect(exit.stdout).toContain("closed");
  });

  it("exits at once when it is told again", async () => {
    const program = await started("never closes");
    process.kill(program.pid, "SIGINT");
    await sleep(700);
    expect(await program.stop("SIGINT")).toMatchObject({ code: 130 });
  });

  it("exits after 5 s if it can't close", async () => {
    const program = await started("never closes");
    const exit = await program.stop();
    expect(exit.code).toBe(1);
    expect(exit.stderr).toBe("program: did not stop within 5 s; ended\n");
  }, 30_000);

  it("says so if closing fails", async () => {
    const program = await started("fails to close");
    expect(await program.stop()).toMatchObject({
      code: 1,
      stderr: "program: failed while it stopped: the lid is stuck\n",
    });
  });

  it("exits with 0 while it still starts", async () => {
    const program = run("starts slowly");
    await waitUntil("the program begins", () => program.output().includes("starting"));
    expect(await program.stop("SIGINT")).toMatchObject({ code: 0, stderr: "" });
  });
});

describe.concurrent("a program that can't start says why in one line and exits with 1", () => {
  const failure = async (behaviour: string, env: Record<string, string> = {}) => {
    const exit = await run(behaviour, env).exit;
    expect(exit.code).toBe(1);
    return exit.stderr;
  };

  it("when something is missing", async () => {
    expect(await failure("lacks a thing")).toBe("program: the thing is missing: bring one\n");
  });

  it("when its configuration is wrong", async () => {
    expect(await failure("is configured wrongly", { PORT: "http", TOKEN: "short" })).toBe(
      'program: wrong configuration: PORT="http": expected a port number from 0 to 65535; TOKEN (not shown): expected a secret of 16 to 1000 visible ASCII characters without spaces\n',
    );
  });

  it("when its port is taken", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" ? String(address?.port) : "";
    expect(await failure("wants a port", { PORT: port })).toBe(
      `program: port ${port} is taken: stop what uses it, or set PORT to another one\n`,
    );
    server.close();
  });

  it("when its folder can't be made", async () => {
    expect(await failure("wants a folder", { KINORA_DATA: "/proc/kinora" })).toMatch(
      /^program: [^\n]*\/proc[^\n]*another folder\n$/,
    );
  });

  it("when nobody thought of it, with a way to find out more", async () => {
    expect(await failure("fails to start")).toBe(
      "program: could not start: nobody thought of this (LOG_LEVEL=debug shows where it comes from)\n",
    );
    const more = await failure("fails to start", { LOG_LEVEL: "debug" });
    expect(more).toMatch(/^program: could not start: nobody thought of this\n/);
    expect(more).toContain("its cause");
  });
});

describe.concurrent("a program that crashes", () => {
  it.each([
    ["throws", "thrown later"],
    ["rejects", "rejected later"],
  ])("because something %s says where, closes, and exits with 1", async (behaviour, message) => {
    const exit = await run(behaviour).exit;
    expect(exit.code).toBe(1);
    expect(exit.stderr).toMatch(new RegExp(`^program: crashed: Error: ${message}\\n +at `));
    expect(exit.stdout).toContain("closed");
  });
});
