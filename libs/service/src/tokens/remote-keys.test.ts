import { stat, utimes, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { temporaryFolder } from "@kinora/testing";
import { afterEach, describe, expect, it } from "vitest";
import { createTokenMaker } from "../testing/token-maker.ts";
import { createAuthenticator } from "./authenticator.ts";
import { type RemoteKeys, type RemoteKeysOptions, remoteKeys } from "./remote-keys.ts";

const first = createTokenMaker("k1");
const second = createTokenMaker("k2");
const opened: { close(): unknown }[] = [];
afterEach(async () => {
  // The last first: a folder goes when nobody writes to it any more.
  for (const one of opened.splice(0).reverse()) await one.close();
});

/** A user service that answers what it is told to, and counts how often it is asked for its keys. */
async function userService(answers: { jwks: () => unknown; issuer?: string }) {
  let asked = 0;
  const server: Server = createServer((request, response) => {
    const keys = request.url === "/.well-known/jwks.json";
    if (keys) asked++;
    const body = keys ? answers.jwks() : answers.issuer && { issuer: answers.issuer };
    response.statusCode = body === undefined ? 404 : 200;
    response.end(typeof body === "string" ? body : JSON.stringify(body ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  opened.push({ close: stop });
  return { url: `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}/`, asked: () => asked, stop };
}

function keysOf(url: string, options?: RemoteKeysOptions): RemoteKeys {
  const keys = remoteKeys(url, options);
  opened.push(keys);
  return keys;
}

describe("keys of a remote user service", () => {
  it("are fetched once, and serve on while it is away", async () => {
    const user = await userService({ jwks: () => ({ keys: [first.jwk] }) });
    const authenticate = createAuthenticator({ keys: keysOf(user.url) });
    const call = () => authenticate(`Bearer ${first.make({ jti: Math.random() })}`);
    await Promise.all(Array.from({ length: 20 }, call));
    user.stop();
    expect(await call()).toMatchObject({ kind: "user" });
    expect(user.asked()).toBe(1);
  });

  it("are asked for again when a token names one that isn't known, but not for every such token", async () => {
    let keys = [first.jwk];
    let time = 0;
    const user = await userService({ jwks: () => ({ keys }) });
    const source = keysOf(user.url, { now: () => time });
    const authenticate = createAuthenticator({ keys: source });
    await authenticate(`Bearer ${first.make()}`);
    keys = [first.jwk, second.jwk];
    const refused = { reason: "unauthenticated" };
    for (let time = 0; time < 30; time++) {
      const token = first.make({}, { kid: `unknown-${time}` });
      await expect(Promise.resolve(authenticate(`Bearer ${token}`))).rejects.toMatchObject(refused);
    }
    expect(user.asked()).toBe(1);
    time += 10_001;
    const calls = await Promise.all(
      Array.from({ length: 10 }, (_, jti) => authenticate(`Bearer ${second.make({ jti })}`)),
    );
    expect(calls.length).toBe(10);
    expect(user.asked()).toBe(2);
  });

  it("that it no longer publishes are forgotten", async () => {
    let keys = [first.jwk, second.jwk];
    let time = 0;
    const user = await userService({ jwks: () => ({ keys }) });
    const source = keysOf(user.url, { now: () => time });
    expect(await source.find("k2")).toBeDefined();
    keys = [first.jwk];
    time += 10_001;
    await source.find("k3");
    expect(source.known("k2")).toBeUndefined();
    expect(source.known("k1")).toBeDefined();
  });

  it("come with its issuer", async () => {
    const issuer = "https://login.example.com";
    const user = await userService({ jwks: () => ({ keys: [first.jwk] }), issuer });
    const authenticate = createAuthenticator({ keys: keysOf(user.url) });
    for (const iss of [issuer, "kinora"])
      expect(await authenticate(`Bearer ${first.make({ iss })}`)).toMatchObject({ kind: "user" });
    await expect(
      Promise.resolve(authenticate(`Bearer ${first.make({ iss: "https://other.example" })}`)),
    ).rejects.toMatchObject({
      reason: "unauthenticated",
    });
  });

  it("that can't be had make a call unavailable, not its token bad", async () => {
    for (const url of ["http://127.0.0.1:9", "http://no.such.host.invalid"]) {
      const authenticate = createAuthenticator({ keys: keysOf(url) });
      await expect(Promise.resolve(authenticate(`Bearer ${first.make()}`))).rejects.toMatchObject({
        reason: "unavailable",
      });
    }
  });

  it.each([
    ["no JSON", "<html>"],
    ["no key set", { keys: 5 }],
    ["too much", `{"keys":[${" ".repeat(300_000)}]}`],
    ["not found", undefined],
  ])("are %s: the ones before stay", async (_name, nonsense) => {
    let body: unknown = { keys: [first.jwk] };
    let time = 0;
    const user = await userService({ jwks: () => body });
    const source = keysOf(user.url, { now: () => time });
    await source.find("k1");
    body = nonsense;
    time += 10_001;
    await expect(source.find("k2")).rejects.toMatchObject({ reason: "unavailable" });
    expect(source.known("k1")).toBeDefined();
  });

  it("of other kinds are left out", async () => {
    const others = [
      { kty: "RSA", n: "AQAB", e: "AQAB", kid: "r" },
      { kty: "oct", k: "AAAA", kid: "o" },
      null,
      "k",
      { ...first.jwk, kid: "e", use: "enc" },
      { ...first.jwk, kid: "x", x: "!" },
    ];
    const user = await userService({ jwks: () => ({ keys: [...others, second.jwk] }) });
    const source = keysOf(user.url);
    await source.find("k2");
    expect(["r", "o", "k", "e", "x", "k2"].filter((kid) => source.known(kid))).toEqual(["k2"]);
  });

  it("are known to a process that starts while it is away, for a day, and give way to its answer", async () => {
    const folder = await temporaryFolder();
    opened.push({ close: () => folder.remove() });
    const file = join(folder.path, "keys", "user-keys.json");
    let keys = [first.jwk];
    const user = await userService({ jwks: () => ({ keys }), issuer: "https://kinora.example" });
    const token = () => `Bearer ${first.make({ jti: Math.random(), iss: "https://kinora.example" })}`;
    const start = (url: string) => createAuthenticator({ keys: keysOf(url, { file, timeoutMs: 1_000 }) });
    await start(user.url)(token());
    expect((await stat(file)).mode & 0o777).toBe(0o600);

    const nowhere = "http://127.0.0.1:1";
    const unavailable = { reason: "unavailable" };
    expect(await start(nowhere)(token())).toMatchObject({ kind: "user" });
    await expect(start(nowhere)(`Bearer ${second.make()}`)).rejects.toMatchObject(unavailable);

    await utimes(file, new Date(), new Date(Date.now() - 86_400_001));
    await expect(start(nowhere)(token())).rejects.toMatchObject(unavailable);
    for (const nonsense of ["{", "[]", '{"set":{"keys":7}}']) {
      await writeFile(file, nonsense);
      await expect(start(nowhere)(token())).rejects.toMatchObject(unavailable);
    }

    await start(user.url)(token());
    keys = [second.jwk]; // the first was withdrawn
    const late = start(user.url);
    await late(`Bearer ${second.make()}`);
    await expect(late(token())).rejects.toMatchObject({ reason: "unauthenticated" });
  });
});
