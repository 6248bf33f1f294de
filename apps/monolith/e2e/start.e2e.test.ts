import { once } from "node:events";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { freePort, startNode, temporaryFolder } from "@kinora/testing";
import { expect, it } from "vitest";
import { createInstallation } from "./support/installation.ts";

const main = "apps/monolith/src/main.ts";
const stops = (signal: NodeJS.Signals) => `${signal} ends it within 5 s, exit code 0`;

it.each(["SIGINT", "SIGTERM"] as const)(`starts twice on the same data; ${stops("SIGINT")} (%s)`, async (signal) => {
  await using kinora = await createInstallation("monolith");
  for (let round = 0; round < 2; round++) {
    await kinora.startAll();
    const asked = performance.now();
    const end = await kinora.process("monolith").stop(signal);
    expect(end, end.stderr).toMatchObject({ code: 0 });
    expect(performance.now() - asked).toBeLessThan(5_000);
  }
});

it("names a taken port and what to do", async () => {
  await using folder = await temporaryFolder();
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const address = other.address();
  const port = address !== null && typeof address === "object" ? String(address.port) : "";
  const end = await startNode(main, { env: { KINORA_DATA: `${folder.path}/data`, PORT: port } }).exit;
  other.close();
  expect(end.code).toBe(1);
  expectOneLine(end.stderr, port, "PORT");
});

it("names every wrong setting and what was expected", async () => {
  const end = await startNode(main, { env: { PORT: "eighty", SIGN_UP: "maybe" } }).exit;
  expect(end.code).toBe(1);
  expectOneLine(end.stderr, "PORT", "eighty", "SIGN_UP", "maybe", "open, invitation, closed");
});

it("names a data folder that can't be used", async () => {
  await using folder = await temporaryFolder();
  await writeFile(`${folder.path}/file`, "");
  const end = await startNode(main, {
    env: { KINORA_DATA: `${folder.path}/file/data`, PORT: String(await freePort()) },
  }).exit;
  expect(end.code).toBe(1);
  expectOneLine(end.stderr, `${folder.path}/file/data`, "KINORA_DATA");
});

it.runIf(process.getuid?.() !== 0)("names a data folder that it may not write", async () => {
  await using folder = await temporaryFolder();
  await mkdir(`${folder.path}/data`);
  await chmod(`${folder.path}/data`, 0o500);
  const end = await startNode(main, { env: { KINORA_DATA: `${folder.path}/data` } }).exit;
  expect(end.code).toBe(1);
  expectOneLine(end.stderr, `${folder.path}/data`, "KINORA_DATA");
});

it("says that Postgres can't be reached, without the password", async () => {
  await using folder = await temporaryFolder();
  const url = `postgres://kinora:hidden-word@127.0.0.1:${await freePort()}/kinora`;
  const end = await startNode(main, {
    env: { KINORA_DATA: `${folder.path}/data`, PORT: String(await freePort()), DATABASE_URL: url },
  }).exit;
  expect(end.code).toBe(1);
  expectOneLine(end.stderr, "DATABASE_URL");
  expect(end.stdout + end.stderr).not.toContain("hidden-word");
});

it("refuses a second Kinora on the same data", async () => {
  await using kinora = await createInstallation("monolith");
  await kinora.startAll();
  const end = await startNode(main, {
    env: { KINORA_DATA: kinora.dataDir, PORT: String(await freePort()) },
  }).exit;
  expect(end.code).toBe(1);
  expectOneLine(end.stderr, kinora.dataDir);
});

/** Standard error holds one line, and it names what it is about. */
function expectOneLine(stderr: string, ...parts: string[]): void {
  const lines = stderr.trim().split("\n");
  expect(lines, stderr).toHaveLength(1);
  for (const part of parts) expect(lines[0]).toContain(part);
}
