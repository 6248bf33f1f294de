import type { DescField, DescMessage, DescMethod, DescService } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import * as encoderContract from "@kinora/proto-encoder";
import * as userContract from "@kinora/proto-user";
import { createClientTransport } from "@kinora/rpc";
import { localCredential } from "@kinora/service";
import { freePort, temporaryFolder } from "@kinora/testing";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startMonolith } from "../start.ts";

// ASVS 14.2.1: what is secret travels in headers and bodies, never in an address, which proxies log and browsers keep. What is searched for in the logs of a whole run is 16.2.5's affair.

const isService = (exported: unknown): exported is DescService =>
  typeof exported === "object" && exported !== null && "kind" in exported && exported.kind === "service";
const methods = [userContract, encoderContract]
  .flatMap((contract) => Object.values<unknown>(contract).filter(isService))
  .flatMap((service) => service.methods);

const ends: (() => unknown)[] = [];
let url: string;
let token: string;
let secrets: string[];

beforeAll(async () => {
  const folder = await temporaryFolder();
  ends.push(() => folder.remove());
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  const env = { KINORA_DATA: folder.path, PORT: String(port), LOG_LEVEL: "fatal", WORKER_SLOTS: "0" };
  const kinora = await startMonolith({ env, signal: AbortSignal.timeout(120_000) });
  ends.push(() => kinora.close());
  const transport = createClientTransport({ baseUrl: url });
  ends.push(() => transport.close());
  const [email, password] = ["ada@example.com", "seventeen swans went west"];
  await createClient(userContract.UserService, transport).createUser({ email, name: "Ada", password });
  const { tokens } = await createClient(userContract.SessionService, transport).createSession({ email, password });
  token = tokens?.accessToken ?? "";
  const keys = [await localCredential(folder.path, "worker-key"), await localCredential(folder.path, "encoder-key")];
  secrets = [token, tokens?.refreshToken ?? "", password, ...keys];
  expect(secrets.every((secret) => secret.length > 10)).toBe(true);
});
afterAll(async () => {
  for (const end of ends.reverse()) await end();
});

it("no method that may be called by GET, with its request in the address, takes a secret", () => {
  const byGet = methods.filter(
    (method) => idempotency(method) === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS && method.methodKind === "unary",
  );
  expect(byGet.length).toBeGreaterThan(10);
  const secret = /(^|_)(token|password|secret|code|key|proof|credential|assertion|invitation)(_json)?$/;
  const taken = byGet.flatMap((method) =>
    fieldsOf(method.input)
      // Where the next page begins is no secret: it opens nothing.
      .filter(({ name }) => secret.test(name) && name !== "page_token")
      .map(({ name }) => `${method.parent.typeName}.${method.name}: ${name}`),
  );
  expect(taken).toEqual([]);
  // And the words are those that the contracts use.
  const all = methods.flatMap(({ input }) => fieldsOf(input)).filter(({ name }) => secret.test(name));
  expect(new Set(all.map(({ name }) => name)).size).toBeGreaterThan(5);
});

it.each(["access_token", "token", "authorization", "key"])("a token as ?%s= is worth nothing", async (name) => {
  const query = `${name}=${encodeURIComponent(token)}`;
  const message = `connect=v1&encoding=json&message=${encodeURIComponent("{}")}`;
  for (const path of ["user.v1.SessionService/GetSession", "encoder.v1.EncoderService/ListVideos"]) {
    const good = await fetch(`${url}/${path}?${message}`, { headers: { authorization: `Bearer ${token}` } });
    expect(good.status).toBe(200);
    await good.body?.cancel();
    const refused = await fetch(`${url}/${path}?${message}&${query}`);
    expect(refused.status).toBe(401);
    await refused.body?.cancel();
  }
  const { uploadUrl } = await videos().createVideo({ name: "a.mp4", sizeBytes: 10n });
  const upload = await fetch(`${uploadUrl}?${query}`, { method: "HEAD", headers: { "tus-resumable": "1.0.0" } });
  expect(upload.status).toBe(401);
});

it("no address that is given out has a credential of anybody in it", async () => {
  const created = await videos().createVideo({ name: "a.mp4", sizeBytes: 10n });
  const { video } = await videos().getVideo({ id: created.video?.id ?? "" });
  const discovery = await (await fetch(`${url}/.well-known/kinora`)).text();
  const openid = await (await fetch(`${url}/.well-known/openid-configuration`)).text();
  const told = JSON.stringify([created, video, discovery, openid], (_, value) =>
    typeof value === "bigint" ? String(value) : value,
  );
  expect(told).toContain(created.uploadUrl);
  for (const secret of secrets) expect(told).not.toContain(secret);
});

function videos() {
  const transport = createClientTransport({ baseUrl: url, token });
  ends.push(() => transport.close());
  return createClient(encoderContract.EncoderService, transport);
}

function idempotency(method: DescMethod): MethodOptions_IdempotencyLevel | undefined {
  return method.proto.options?.idempotencyLevel;
}

/** A message's fields with those of the messages in it. */
function fieldsOf(message: DescMessage, seen = new Set<DescMessage>()): DescField[] {
  if (seen.has(message)) return [];
  seen.add(message);
  return message.fields.flatMap((field) => [field, ...(field.message ? fieldsOf(field.message, seen) : [])]);
}
