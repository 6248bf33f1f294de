import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import * as grpc from "@grpc/grpc-js";
import * as loader from "@grpc/proto-loader";
import { UserService } from "@kinora/proto-user";
import { createClientTransport, createServer, type RpcServer } from "@kinora/rpc";
import { temporaryFolder, waitUntil } from "@kinora/testing";
import { createLocalJWKSet, jwtVerify } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  agreeableEncoder,
  clientsOver,
  faultOf,
  memoryLogger,
  type Person,
  type ServiceUnderTest,
  startServiceUnderTest,
} from "./testing/service-under-test.ts";
import { createUserService } from "./user-service.ts";

let kinora: ServiceUnderTest;
let server: RpcServer;
let url: string;
let ada: Person;

beforeAll(async () => {
  kinora = await startServiceUnderTest();
  server = createServer({ ...kinora.options(), ready: () => kinora.database.check() });
  ({ url } = await server.listen({ port: 0, host: "127.0.0.1" }));
  ada = await kinora.join("Ada");
});
afterAll(async () => {
  await server?.close();
  await kinora?.close();
});

const bearer = () => ({ authorization: `Bearer ${ada.accessToken}` });

describe("over a socket", () => {
  it("answers a stock gRPC client that knows only id, name and age", async () => {
    await using folder = await temporaryFolder();
    const proto = join(folder.path, "user.proto");

    await writeFile(
      proto,
      `syntax = "proto3"; package user.v1;
       service UserService { rpc GetUser(GetUserRequest) returns (GetUserResponse); }
       message GetUserRequest { string id = 1; }
       message GetUserResponse { string name = 1; int32 age = 2; }`,
    );
    const { users } = kinora.as(ada.accessToken);
    await users.updateUser({ id: ada.id, user: { birthDate: "2000-01-01" }, updateMask: { paths: ["birth_date"] } });

    const loaded = grpc.loadPackageDefinition(loader.loadSync(proto));
    const { UserService: Stub } = (loaded as unknown as { user: { v1: { UserService: StubConstructor } } }).user.v1;
    const stub = new Stub(new URL(url).host, grpc.credentials.createInsecure());
    const metadata = new grpc.Metadata();
    metadata.set("authorization", `Bearer ${ada.accessToken}`);
    const get = (id: string) =>
      new Promise<unknown>((resolve, reject) =>
        stub.GetUser({ id }, metadata, (error, answer) => (error ? reject(error) : resolve(answer))),
      );
    try {
      expect(await get(ada.id)).toEqual({ name: "Ada", age: kinora.now().getUTCFullYear() - 2000 });
      await expect(get(crypto.randomUUID())).rejects.toMatchObject({ code: grpc.status.NOT_FOUND });
      await expect(get("x")).rejects.toMatchObject({ code: grpc.status.INVALID_ARGUMENT });
    } finally {
      stub.close();
    }
  });

  it.each([
    ["Connect, JSON", () => createConnectTransport({ baseUrl: url })],
    ["Connect, binary", () => createConnectTransport({ baseUrl: url, useBinaryFormat: true })],
    ["Connect, GET", () => createConnectTransport({ baseUrl: url, useHttpGet: true })],
    ["gRPC-Web", () => createGrpcWebTransport({ baseUrl: url })],
  ])("answers a stock web client: %s", async (_name, makeTransport) => {
    const client = createClient(UserService, makeTransport());
    expect((await client.getUser({ id: ada.id }, { headers: bearer() })).user).toMatchObject({
      id: ada.id,
      name: "Ada",
    });
    const mask = { id: ada.id, user: {}, updateMask: { paths: ["shoe_size"] } };
    expect(await faultOf(client.updateUser(mask, { headers: bearer() }))).toMatchObject({
      code: "InvalidArgument",
      fields: ["update_mask.paths[0]"],
    });
    expect((await faultOf(client.getUser({ id: ada.id }))).code).toBe("Unauthenticated");
  });

  it("takes a field mask in JSON as JSON writes it", async () => {
    const response = await fetch(`${url}/user.v1.UserService/UpdateUser`, {
      method: "POST",
      headers: { ...bearer(), "content-type": "application/json" },
      body: JSON.stringify({ id: ada.id, user: { birthDate: "1999-12-31" }, updateMask: "birthDate" }),
    });
    expect(await response.json()).toMatchObject({ user: { birthDate: "1999-12-31", name: "Ada" } });
  });

  it("says when to try again in a header", async () => {
    const transport = createClientTransport({ baseUrl: url, logger: memoryLogger().logger });
    try {
      const { sessions } = clientsOver(transport);
      const guess = () => faultOf(sessions.createSession({ email: "victim@example.com", password: "wrong" }));
      for (let time = 0; time < 10; time++) expect((await guess()).code).toBe("Unauthenticated");
      const refused = await guess();
      expect(refused.code).toBe("ResourceExhausted");
      expect(Number(refused.retryAfter)).toBeGreaterThan(0);
    } finally {
      transport.close();
    }
  });
});

describe("/.well-known/jwks.json", () => {
  it("lets anybody verify access tokens, and be kept for a while", async () => {
    const response = await fetch(`${url}/.well-known/jwks.json`);
    expect(response.headers.get("cache-control")).toContain("max-age=60");
    const keys = createLocalJWKSet((await response.json()) as Parameters<typeof createLocalJWKSet>[0]);
    const { payload } = await jwtVerify(ada.accessToken, keys, {
      algorithms: ["EdDSA"],
      issuer: "kinora",
      audience: "kinora",
    });
    expect(payload.sub).toBe(ada.id);
    const etag = response.headers.get("etag") ?? "";
    const again = await fetch(`${url}/.well-known/jwks.json`, { headers: { "if-none-match": etag } });
    expect(again.status).toBe(304);
    const head = await fetch(`${url}/.well-known/jwks.json`, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
    expect((await fetch(`${url}/.well-known/jwks.json`, { method: "POST", body: "x" })).status).toBe(405);
  });
});

describe("when the database goes away", () => {
  it("calls under way are `unavailable`, and later ones work again", async () => {
    const pid = async () => {
      const { rows } = await kinora.database.pool.query("select pg_read_file('postmaster.pid') as text");
      return Number.parseInt(rows[0].text, 10);
    };
    const { users, sessions } = kinora.as(ada.accessToken);
    const before = await pid();
    const holder = await kinora.database.pool.connect();
    holder.on("error", () => {}); // its connection is about to break
    await holder.query("begin; select 1 from users for update");
    const waiting = users.updateUser({ id: ada.id, user: { name: "Lost" }, updateMask: { paths: ["name"] } });
    const fault = faultOf(waiting);
    await waitUntil("the call waits for the row", async () => {
      const { rows } = await kinora.database.pool.query(
        "select 1 from pg_stat_activity where wait_event_type = 'Lock'",
      );
      return rows.length > 0;
    });
    process.kill(before, "SIGKILL");
    expect(await fault).toMatchObject({ code: "Unavailable", retryAfter: "1" });
    holder.release(true);

    const seen = new Set<string>();
    // A backend that hasn't noticed yet may still answer.
    await waitUntil("calls work again", () =>
      users.getUser({ id: ada.id }).then(
        async () => (await pid().catch(() => before)) !== before,
        async (error) => {
          seen.add((await faultOf(Promise.reject(error))).code);
          return false;
        },
      ),
    );
    expect([...seen].filter((code) => code !== "Unavailable")).toEqual([]);
    expect(kinora.lines.filter((line) => line.includes("unexpectedly"))).toEqual([]);
    expect((await users.getUser({ id: ada.id })).name).toBe("Ada");
    await sessions.refreshSession({ refreshToken: ada.refreshToken });
    await waitUntil("the server is ready", async () => (await fetch(`${url}/readyz`)).ok);
  });
});

describe("createUserService", () => {
  const deps = () => ({
    database: kinora.database,
    logger: memoryLogger().logger,
    encoder: agreeableEncoder,
    dataDir: kinora.dataDir,
    publicUrl: () => "https://kinora.example",
    signUp: "open" as const,
    verifyEmail: false,
    mail: { smtpUrl: undefined, from: "kinora@example.com" },
    quotaMinutes: 0,
  });

  it("refuses settings that make no sense", async () => {
    await expect(createUserService({ ...deps(), quotaMinutes: -1 })).rejects.toThrow("quotaMinutes is -1");
    await expect(createUserService({ ...deps(), signUp: "ajar" as "open" })).rejects.toThrow("signUp is ajar");
  });

  it("gives up starting when asked to", async () => {
    const signal = AbortSignal.abort(new Error("stop"));
    await expect(createUserService({ ...deps(), signal })).rejects.toThrow("stop");
  });
});

/** What proto-loader makes of the service above. */
type StubConstructor = new (
  address: string,
  credentials: unknown,
) => {
  GetUser(request: { id: string }, metadata: unknown, answer: (error: Error | null, response: unknown) => void): void;
  close(): void;
};
