import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { credentials, loadPackageDefinition, Metadata, type ServiceClientConstructor } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { EncoderService } from "@kinora/proto-encoder";
import { SessionService, UserService } from "@kinora/proto-user";
import { repositoryRoot, temporaryFolder } from "@kinora/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createInstallation, type Installation } from "./support/installation.ts";

const run = promisify(execFile);

describe.each(["monolith", "services"] as const)("clients that we didn't write, against %s", (form) => {
  let kinora: Installation;
  let token: string;
  let userId: string;

  beforeAll(async () => {
    kinora = await createInstallation(form);
    await kinora.startAll();
    token = (await kinora.kinora("token")).stdout.trim();
    const transport = createConnectTransport({ baseUrl: kinora.userUrl });
    const me = await createClient(SessionService, transport).getSession({}, { headers: bearer(token) });
    userId = me.user?.id ?? "";
    const born = { id: userId, user: { birthDate: "1990-01-01" }, updateMask: { paths: ["birth_date"] } };
    await createClient(UserService, transport).updateUser(born, { headers: bearer(token) });
  });
  afterAll(() => kinora?.[Symbol.asyncDispose]());

  it("grpc-js, from a contract of just the first fields, calls user", async () => {
    await using folder = await temporaryFolder();
    const proto = join(folder.path, "user.proto");
    await writeFile(
      proto,
      `syntax = "proto3"; package user.v1;
       message GetUserRequest { string id = 1; }
       message GetUserResponse { string name = 1; int32 age = 2; }
       service UserService { rpc GetUser(GetUserRequest) returns (GetUserResponse); }`,
    );
    const answer = await callWithGrpcJs(kinora.userUrl, proto, "user.v1.UserService", "GetUser", { id: userId }, token);
    expect(answer).toEqual({ name: "Owner", age: new Date().getUTCFullYear() - 1990 });
  });

  it("grpc-js, from the real contract, calls encoder", async () => {
    const proto = join(repositoryRoot, "proto/encoder/v1/encoder_service.proto");
    const answer = await callWithGrpcJs(kinora.encoderUrl, proto, "encoder.v1.EncoderService", "ListVideos", {}, token);
    expect(answer).toMatchObject({ videos: [] });
    const refused = callWithGrpcJs(kinora.encoderUrl, proto, "encoder.v1.EncoderService", "ListVideos", {}, "foreign");
    await expect(refused).rejects.toMatchObject({ code: Code.Unauthenticated });
  });

  it.each([
    ["Connect, JSON", (baseUrl: string) => createConnectTransport({ baseUrl })],
    ["Connect, binary", (baseUrl: string) => createConnectTransport({ baseUrl, useBinaryFormat: true })],
    ["gRPC-Web", (baseUrl: string) => createGrpcWebTransport({ baseUrl })],
  ])("connect-web by %s calls both", async (_name, transport) => {
    const users = createClient(UserService, transport(kinora.userUrl));
    expect((await users.getUser({ id: userId }, { headers: bearer(token) })).user?.id).toBe(userId);
    const videos = createClient(EncoderService, transport(kinora.encoderUrl));
    expect((await videos.listVideos({}, { headers: bearer(token) })).videos).toEqual([]);
    const wrong = await videos.getVideo({ id: "7" }, { headers: bearer(token) }).catch(ConnectError.from);
    expect(wrong).toMatchObject({ code: Code.InvalidArgument });
    expect((wrong as ConnectError).rawMessage).toContain("id");
  });

  it("buf curl calls both by reflection, over gRPC, gRPC-Web and Connect", async () => {
    const buf = (...args: string[]) => run("buf", ["curl", "--http2-prior-knowledge", ...args]);
    for (const protocol of ["grpc", "grpcweb", "connect"]) {
      const authorization = ["-H", `authorization: Bearer ${token}`];
      const getUser = `${kinora.userUrl}/user.v1.UserService/GetUser`;
      const user = await buf("--protocol", protocol, ...authorization, "-d", JSON.stringify({ id: userId }), getUser);
      expect(JSON.parse(user.stdout)).toMatchObject({ user: { id: userId } });
      const list = `${kinora.encoderUrl}/encoder.v1.EncoderService/ListEncodes`;
      expect(JSON.parse((await buf("--protocol", protocol, ...authorization, "-d", "{}", list)).stdout)).toEqual({});
    }
    const health = `${kinora.encoderUrl}/grpc.health.v1.Health/Check`;
    expect(JSON.parse((await buf("--protocol", "grpc", "-d", "{}", health)).stdout)).toEqual({ status: "SERVING" });
  });

  it("/healthz, /readyz, /.well-known/kinora and /.well-known/contracts answer on each", async () => {
    for (const url of new Set([kinora.userUrl, kinora.encoderUrl])) {
      expect((await fetch(`${url}/healthz`)).status).toBe(200);
      expect((await fetch(`${url}/readyz`)).status).toBe(200);
      const known = await fetch(`${url}/.well-known/kinora`);
      expect(await known.json()).toEqual({ user: kinora.userUrl, encoder: kinora.encoderUrl });
      const contracts = await (await fetch(`${url}/.well-known/contracts`)).text();
      if (url === kinora.userUrl) expect(contracts).toContain('"user.v1.SessionService"');
      if (url === kinora.encoderUrl) expect(contracts).toContain('"encoder.v1.WorkerService"');
    }
    expect((await fetch(`${kinora.userUrl}/.well-known/jwks.json`)).status).toBe(200);
  });
});

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** One unary call with stock grpc-js and a contract that it reads by itself. */
function callWithGrpcJs(url: string, proto: string, service: string, method: string, request: object, token: string) {
  const loaded = loadPackageDefinition(
    loadSync(proto, { defaults: true, includeDirs: [join(repositoryRoot, "proto")] }),
  );
  const found = service.split(".").reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], loaded);
  const client = new (found as ServiceClientConstructor)(new URL(url).host, credentials.createInsecure());
  const metadata = new Metadata();
  metadata.set("authorization", `Bearer ${token}`);
  return new Promise<unknown>((resolve, reject) => {
    client[method]?.(request, metadata, { deadline: Date.now() + 20_000 }, (error: Error | null, answer: unknown) => {
      client.close();
      if (error) reject(error);
      else resolve(answer);
    });
  });
}
