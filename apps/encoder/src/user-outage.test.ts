import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort, type NodeProcess, startNode, temporaryFolder, waitUntilReady } from "@kinora/testing";
import { afterAll, beforeAll, expect, it } from "vitest";

// The encoder knows who calls without asking: the user service's process is killed, and calls go on.

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const started: NodeProcess[] = [];
let userUrl: string;
let encoderUrl: string;
let user: NodeProcess;
let startUser: () => Promise<NodeProcess>;
let encoder: NodeProcess;
let startEncoder: () => Promise<NodeProcess>;

beforeAll(async () => {
  folder = await temporaryFolder();
  const [userPort, encoderPort] = [await freePort(), await freePort()];
  userUrl = `http://127.0.0.1:${userPort}`;
  encoderUrl = `http://127.0.0.1:${encoderPort}`;
  const env = { KINORA_DATA: folder.path, DATABASE_URL: undefined, USER_URL: userUrl, ENCODER_URL: encoderUrl };
  const start = async (app: string, port: number, url: string) => {
    const process = startNode(`apps/${app}/src/main.ts`, { env: { ...env, PORT: String(port) } });
    started.push(process);
    await waitUntilReady(url);
    return process;
  };
  startUser = () => start("user", userPort, userUrl);
  user = await startUser();
  startEncoder = () => start("encoder", encoderPort, encoderUrl);
  encoder = await startEncoder();
});
afterAll(async () => {
  await Promise.all(started.map((process) => process.stop("SIGTERM")));
  await folder?.remove();
});

async function call(url: string, method: string, body: object, token?: string) {
  const response = await fetch(`${url}/${method}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...(token !== undefined && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as { tokens?: { accessToken: string } } };
}

async function login(): Promise<string> {
  const owner = JSON.parse(await readFile(join(folder.path, "credentials/owner.json"), "utf8"));
  const { body } = await call(userUrl, "user.v1.SessionService/CreateSession", owner);
  return body.tokens?.accessToken ?? "";
}

const listVideos = async (token: string) =>
  (await call(encoderUrl, "encoder.v1.EncoderService/ListVideos", {}, token)).status;

it("verifies tokens that it has and hasn't seen while the user service is dead, and again when that is back", async () => {
  const seen = await login();
  const unseen = await login();
  expect(await listVideos(seen)).toBe(200);
  await user.stop("SIGKILL");
  expect(await listVideos(seen)).toBe(200);
  expect(await listVideos(unseen)).toBe(200);
  // A key that it doesn't know, it can't ask for now: that is no verdict on the token.
  const [, body, signature] = unseen.split(".");
  const head = Buffer.from('{"alg":"EdDSA","typ":"at+jwt","kid":"unknown"}').toString("base64url");
  expect([401, 503]).toContain(await listVideos(`${head}.${body}.${signature}`));
  // An encoder that starts in the middle of it remembers the keys that the one before it had.
  await encoder.stop("SIGKILL");
  encoder = await startEncoder();
  expect(await listVideos(unseen)).toBe(200);
  user = await startUser();
  expect(await listVideos(await login())).toBe(200);
  expect(await listVideos(unseen)).toBe(200);
});
