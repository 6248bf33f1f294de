import { execFile } from "node:child_process";
import { join } from "node:path";
import { freePort, repositoryRoot, temporaryFolder } from "@kinora/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startMonolith } from "./start.ts";

// The command line against the real thing: what it says about identity is the user service's to answer.

let kinora: Awaited<ReturnType<typeof startMonolith>>;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let url: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  const env = { KINORA_DATA: folder.path, PORT: String(port), LOG_LEVEL: "fatal", WORKER_SLOTS: "0" };
  kinora = await startMonolith({ env, signal: AbortSignal.timeout(60_000) });
});
afterAll(async () => {
  await kinora?.close();
  await folder?.remove();
});

/** Runs `kinora`, as the owner of this installation, with a home of its own. */
function run(
  args: string[],
  more: Record<string, string> = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = { PATH: process.env.PATH, HOME: join(folder.path, "home"), KINORA_DATA: folder.path, ...more };
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(repositoryRoot, "apps/cli/bin/kinora.mjs"), ...args],
      { env },
      (error, stdout, stderr) => resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr }),
    );
  });
}

describe("kinora keys", () => {
  it("makes a key, which a program exchanges for a token that works, until the key is deleted", async () => {
    expect((await run(["keys"])).stderr).toContain("no API keys");
    const made = await run(["keys", "create", "website", "--days", "30"]);
    expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^kinora_[0-9a-f]{8}_[\w-]{43}\n$/) });
    const key = made.stdout.trim();
    const listed = await run(["keys"]);
    expect(listed.stdout).toMatch(/website +kinora_[0-9a-f]{8}_…/);
    expect(listed.stdout).not.toContain(key);

    // Another machine: nobody is logged in there.
    const elsewhere = { HOME: join(folder.path, "elsewhere"), KINORA_API_KEY: key };
    const { stdout: token } = await run(["keys", "exchange"], elsewhere);
    const list = () =>
      fetch(`${url}/encoder.v1.EncoderService/ListVideos`, {
        method: "POST",
        headers: { authorization: `Bearer ${token.trim()}`, "content-type": "application/json" },
        body: "{}",
      });
    expect((await list()).status).toBe(200);

    const id = /Made ([0-9a-f-]{36})/.exec(made.stderr)?.[1] ?? "";
    expect(await run(["keys", "delete", id])).toMatchObject({ code: 0, stderr: "The key has ended.\n" });
    const refused = await run(["keys", "exchange"], elsewhere);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain("API key");
    expect(refused.stderr).not.toContain(key);
  });

  it("says what is wrong", async () => {
    expect((await run(["keys", "exchange"])).stderr).toContain("KINORA_API_KEY");
    expect((await run(["keys", "create", "x", "--scopes", "videos:fly"])).stderr).toContain("videos:fly");
    expect((await run(["keys", "create", "x", "--days", "soon"])).code).toBe(2);
    expect((await run(["keys", "sharpen", "x"])).code).toBe(2);
  });
});

describe("kinora sessions", () => {
  it("lists where the owner is logged in, and ends the others", async () => {
    await run(["whoami"], { HOME: join(folder.path, "phone") });
    const { stdout } = await run(["sessions"]);
    expect(stdout).toMatch(/\(here\)/);
    expect(stdout.trim().split("\n").length).toBe(3);
    expect(await run(["sessions", "end-others"])).toMatchObject({ code: 0, stderr: "One other session has ended.\n" });
    const left = (await run(["sessions", "--json"])).stdout.trim().split("\n");
    expect(left.length).toBe(1);
    expect(JSON.parse(left[0] ?? "")).toMatchObject({ current: true, factors: ["FACTOR_PASSWORD"] });
    expect((await run(["sessions", "end", crypto.randomUUID()])).code).not.toBe(0);
  });
});
