import { generateKeyPairSync, sign } from "node:crypto";
import { create, type DescMessage, type DescMethod, type DescService, getOption } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { openTestDatabase } from "@kinora/database/testing";
import { Access, access, Role, requires } from "@kinora/proto-common";
import * as encoderContract from "@kinora/proto-encoder";
import * as userContract from "@kinora/proto-user";
import { type ClientTransport, createClientTransport } from "@kinora/rpc";
import { localCredential } from "@kinora/service";
import { freePort, temporaryFolder } from "@kinora/testing";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startMonolith } from "../start.ts";

// ASVS 8.2.2, 8.3.2, 8.4.1: nobody gets at what isn't theirs, whichever method they try. Every method of every contract is called on real sockets: what a new one needs follows from
// what its contract states, and one that names a resource for which there is none here fails until somebody adds it.

const isService = (exported: unknown): exported is DescService =>
  typeof exported === "object" && exported !== null && "kind" in exported && exported.kind === "service";
const methods = [userContract, encoderContract]
  .flatMap((contract) => Object.values<unknown>(contract).filter(isService))
  .flatMap((service) => service.methods);
const nameOf = (method: DescMethod) => `${method.parent.typeName}.${method.name}`;
const rule = (method: DescMethod) => ({ access: getOption(method, access), ...getOption(method, requires) });
const audienceOf = (method: DescMethod) => method.parent.typeName.split(".", 1)[0] ?? "";
const scopes = [...new Set(methods.map((method) => rule(method).scope).filter((scope) => scope !== ""))];

const open = methods.filter((method) => rule(method).access === Access.PUBLIC);
const closed = methods.filter((method) => rule(method).access !== Access.PUBLIC);
const isFor = (method: DescMethod, ...kinds: Access[]) => kinds.includes(rule(method).access);
const forPeople = closed.filter((method) => isFor(method, Access.USER, Access.USER_OR_SERVICE));
/** Methods about a resource that has an owner. What only administrators may do isn't a matter of owners. */
const named = forPeople.filter((method) => rule(method).resource !== "" && rule(method).role === Role.UNSPECIFIED);

/** What those who upgrade have yet. */
const sharedToken = { worker: "worker-token-of-the-walk-0123456789", service: "service-token-of-the-walk-0123456789" };
const signer = generateKeyPairSync("ed25519");

let kinora: Awaited<ReturnType<typeof startMonolith>>;
let url: string;
let ada: { id: string; token: string };
let bob: { id: string; token: string };
let resources: Resources;
/** Access tokens for the API keys that this installation's own worker and encoder have. */
let own: { worker: string; encoder: string };
const ends: (() => unknown)[] = [];

beforeAll(async () => {
  const folder = await temporaryFolder();
  ends.push(() => folder.remove());
  const server = await openTestDatabase("walk", []);
  ends.push(() => server.close());
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  const env = {
    KINORA_DATA: folder.path,
    DATABASE_URL: server.url,
    PORT: String(port),
    LOG_LEVEL: "fatal",
    WORKER_SLOTS: "0",
    SERVICE_TOKEN: sharedToken.service,
    WORKER_TOKEN: sharedToken.worker,
  };
  kinora = await startMonolith({ env, signal: AbortSignal.timeout(60_000) });
  ends.push(() => kinora.close());
  // A key of ours among the installation's, to sign tokens with that the user service would never sign.
  const database = new URL(server.url);
  database.pathname += "_user";
  const client = new pg.Client({ connectionString: database.href });
  await client.connect();
  await client.query(
    "insert into \"user\".signing_keys (kid, private_jwk, create_time) values ('walk', $1, now() - interval '1 hour')",
    [JSON.stringify(signer.privateKey.export({ format: "jwk" }))],
  );
  const tokenOf = async (name: "worker" | "encoder", audience: string) => {
    const key = await localCredential(folder.path, `${name}-key`);
    const keys = createClient(userContract.KeyService, as());
    return (await keys.exchangeKey({ key, audiences: [audience] })).accessToken;
  };
  own = { worker: await tokenOf("worker", "encoder"), encoder: await tokenOf("encoder", "user") };
  ada = await join("ada");
  bob = await join("bob");
  resources = await makeResources(client);
  await client.end();
});
afterAll(async () => {
  for (const end of ends.reverse()) await end();
});

const transports: ClientTransport[] = [];
function as(token?: string): Transport {
  const transport = createClientTransport({ baseUrl: url, ...(token !== undefined && { token }) });
  transports.push(transport);
  return transport;
}
ends.push(() => transports.forEach((transport) => void transport.close()));

async function join(name: string): Promise<{ id: string; token: string }> {
  const email = `${name}@example.com`;
  const password = `the long password of ${name} in this walk`;
  await createClient(userContract.UserService, as()).createUser({ email, name, password });
  const { user, tokens } = await createClient(userContract.SessionService, as()).createSession({ email, password });
  return { id: user?.id ?? "", token: tokens?.accessToken ?? "" };
}

/** A token that the user service would sign for Ada, but for these claims; of an administrator with everything, if none are given. */
function forge(claims: Record<string, unknown> = {}): string {
  const now = Math.floor(Date.now() / 1000);
  const part = (members: object) => Buffer.from(JSON.stringify(members)).toString("base64url");
  const head = part({ alg: "EdDSA", typ: "at+jwt", kid: "walk" });
  const all = {
    iss: "kinora",
    sub: ada.id,
    sid: crypto.randomUUID(),
    aud: ["user", "encoder"],
    iat: now,
    exp: now + 600,
  };
  const body = part({ ...all, role: "owner", kind: "user", scope: scopes.join(" "), ...claims });
  return `${head}.${body}.${sign(null, Buffer.from(`${head}.${body}`), signer.privateKey).toString("base64url")}`;
}

/** How a call ends: its code, or "ok" if it does well. */
async function call(
  transport: Transport,
  method: DescMethod,
  request: object = {},
): Promise<{ code: string; message: string }> {
  const input = create(method.input as DescMessage, request as never);
  try {
    if (method.methodKind === "unary") {
      await transport.unary(method as DescMethod & { methodKind: "unary" }, undefined, 10_000, undefined, input);
    } else {
      const messages = (async function* () {
        yield input;
      })();
      const answer = await transport.stream(method as never, undefined, 10_000, undefined, messages as never);
      for await (const _ of answer.message) break;
    }
    return { code: "ok", message: "" };
  } catch (error) {
    const fault = ConnectError.from(error);
    return { code: Code[fault.code] ?? "", message: fault.rawMessage };
  }
}

/** Calls each method and says which ended otherwise than they should. */
async function walk(
  those: readonly DescMethod[],
  token: string | undefined,
  expected: (method: DescMethod) => { code: string; message?: RegExp },
  request: (method: DescMethod) => object = () => ({}),
): Promise<void> {
  expect(those.length).toBeGreaterThan(0);
  const transport = as(token);
  const wrong: string[] = [];
  for (const method of those) {
    const { code, message } = await call(transport, method, request(method));
    const wanted = expected(method);
    if (code !== wanted.code || !(wanted.message ?? /./).test(message))
      wrong.push(`${nameOf(method)}: ${code} ${message}`);
  }
  expect(wrong).toEqual([]);
}

describe("every method refuses", () => {
  const unauthenticated = () => ({ code: "Unauthenticated" });
  const denied = () => ({ code: "PermissionDenied" });

  it("nobody", () => walk(closed, undefined, unauthenticated));
  it("what isn't a token", () => walk(closed, "nonsense", unauthenticated));
  it("a token that ended a second ago", () =>
    walk(closed, forge({ exp: Math.floor(Date.now() / 1000) - 1 }), () => ({
      code: "Unauthenticated",
      message: /expired/,
    })));
  it("a token of another issuer", () => walk(closed, forge({ iss: "https://elsewhere.example" }), unauthenticated));
  it("a token for other services", () => walk(forPeople, forge({ aud: ["elsewhere"] }), unauthenticated));
  it.each(["user", "encoder"])("a token for %s alone, elsewhere", (aud) =>
    walk(
      forPeople.filter((method) => audienceOf(method) !== aud),
      forge({ aud: [aud] }),
      () => ({ code: "Unauthenticated", message: /isn't for the/ }),
    ),
  );

  it("a token without the scope, though it has every other", async () => {
    for (const scope of scopes) {
      const those = forPeople.filter((method) => rule(method).scope === scope);
      const token = forge({ scope: scopes.filter((other) => other !== scope).join(" ") });
      if (those.length > 0)
        await walk(those, token, () => ({ code: "PermissionDenied", message: new RegExp(`the scope ${scope}`) }));
    }
  });
  it("a service without the scope", async () => {
    const those = closed.filter((method) => isFor(method, Access.SERVICE, Access.USER_OR_SERVICE));
    await walk(those, forge({ kind: "service", role: "member", scope: "tasks:work" }), denied);
  });
  // The gate looks at the kind of caller first, and at the audience only of those it could let in.
  it.each([
    ["that the user service gives for its key", () => own.worker],
    ["of before 0.2", () => sharedToken.worker],
    ["with every scope at every service", () => forge({ kind: "worker", role: "member" })],
  ])("a worker, unless it is about tasks, with the token %s", (_, token) =>
    walk(
      closed.filter((method) => rule(method).access !== Access.WORKER),
      token(),
      denied,
    ),
  );
  it.each([
    ["that the user service gives for its key", () => own.encoder],
    ["of before 0.2", () => sharedToken.service],
  ])("a service, where people or workers are meant, with the token %s", (_, token) =>
    walk(
      closed.filter((method) => isFor(method, Access.USER, Access.WORKER)),
      token(),
      denied,
    ),
  );
  it("the encoder at a service that its token isn't for", () =>
    walk(
      closed.filter((method) => isFor(method, Access.SERVICE) && audienceOf(method) !== "user"),
      own.encoder,
      () => ({ code: "Unauthenticated", message: /isn't for the/ }),
    ));
  it("people, where services or workers are meant, whatever their role and scopes", () =>
    walk(
      closed.filter((method) => !forPeople.includes(method)),
      forge(),
      denied,
    ));
  // Also with scopes that only an administrator can have.
  it.each([
    ["as they are", () => ada.token],
    ["with every scope", () => forge({ role: "member" })],
  ])("members, where administrators are meant, %s", (_, token) =>
    walk(
      forPeople.filter((method) => rule(method).role >= Role.ADMIN),
      token(),
      () => ({ code: "PermissionDenied", message: /^only administrators and the owner can do this$/ }),
    ),
  );
});

it("a worker's own token leases, at the encoder, and the encoder's reads quotas", async () => {
  const { task } = await createClient(encoderContract.WorkerService, as(own.worker)).leaseTask({
    workerId: "walk",
    encoders: ["none"],
    kinds: [encoderContract.TaskKind.ENCODE_CHUNK],
  });
  expect(task).toBeUndefined();
  await createClient(userContract.QuotaService, as(own.encoder)).getQuota({ userId: ada.id });
});

it("what is open to everybody is known", () => {
  expect(open.map(nameOf).sort()).toMatchSnapshot();
});

describe("somebody else's resource", () => {
  it("is named as one by every method that takes its identifier", () => {
    const unnamed = forPeople.filter((method) => {
      const { resource, role } = rule(method);
      return resource === "" && role === Role.UNSPECIFIED && method.input.fields.some(({ name }) => name === "id");
    });
    expect(unnamed.map(nameOf)).toEqual([]);
  });

  it("is known to this test for every method that names one", () => {
    expect(named.filter((method) => resources[nameOf(method)] === undefined).map(nameOf)).toEqual([]);
  });

  it("is to Bob like one that never was", async () => {
    const transport = as(bob.token);
    const wrong: string[] = [];
    for (const method of named) {
      const request = resources[nameOf(method)] ?? {};
      const hers = await call(transport, method, request);
      const nobodys = await call(transport, method, withOtherIdentifier(request, rule(method).resource));
      const same =
        hers.code === nobodys.code && withoutIdentifiers(hers.message) === withoutIdentifiers(nobodys.message);
      // Deleting what isn't there may well do: that hers is there yet, the next test finds.
      const refused =
        ["NotFound", "Unimplemented"].includes(hers.code) ||
        (hers.code === "ok" && /^(Delete|Remove)/.test(method.name));
      if (!same || !refused)
        wrong.push(`${nameOf(method)}: ${hers.code} ${hers.message}; ${nobodys.code} ${nobodys.message}`);
    }
    expect(wrong).toEqual([]);
  });

  it("is Ada's to use: what Bob was refused is there", async () => {
    const transport = as(ada.token);
    const wrong: string[] = [];
    const last = (method: DescMethod) =>
      /^(Delete|Remove)/.test(method.name)
        ? /User$/.test(method.name)
          ? 3
          : 2
        : /^(End|Cancel)/.test(method.name)
          ? 1
          : 0;
    for (const method of [...named].sort((one, other) => last(one) - last(other))) {
      if (adminsOnly.has(nameOf(method))) continue;
      const { code, message } = await call(transport, method, resources[nameOf(method)] ?? {});
      if (["NotFound", "Unauthenticated", "PermissionDenied", "Internal", "InvalidArgument"].includes(code))
        wrong.push(`${nameOf(method)}: ${code} ${message}`);
    }
    expect(wrong).toEqual([]);
  });
});

const withoutIdentifiers = (message: string) => message.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "ID");

/** The request with a resource that never was. */
function withOtherIdentifier(request: object, field: string): object {
  const name = field.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
  expect(request).toHaveProperty(name);
  return { ...request, [name]: crypto.randomUUID() };
}

/** Requests about something of Ada's, by method. */
type Resources = Record<string, object>;

/** What belongs to a service account is for administrators; to members it doesn't exist, whosever it is. */
const adminsOnly = new Set(["user.v1.KeyService.CreateKey", "user.v1.KeyService.ListKeys"]);

async function makeResources(userDatabase: pg.Client): Promise<Resources> {
  const encoder = createClient(encoderContract.EncoderService, as(ada.token));
  const keys = createClient(userContract.KeyService, as(ada.token));
  const created = await encoder.createVideo({ name: "a.mp4", sizeBytes: 10n });
  const videoId = created.video?.id ?? "";
  const sent = await fetch(created.uploadUrl.replace(/^http:\/\/localhost/, "http://127.0.0.1"), {
    method: "PATCH",
    headers: {
      authorization: `Bearer ${ada.token}`,
      "tus-resumable": "1.0.0",
      "upload-offset": "0",
      "content-type": "application/offset+octet-stream",
    },
    body: "0123456789",
  });
  expect(sent.status).toBe(204);
  const { encode } = await encoder.startEncode({ videoId });
  const { key } = await keys.createKey({ name: "walk", scopes: ["videos:read"] });
  const sessions = createClient(userContract.SessionService, as());
  const other = await sessions.createSession({
    email: "ada@example.com",
    password: "the long password of ada in this walk",
  });
  const webhooks = createClient(encoderContract.WebhookService, as(ada.token));
  const { webhook } = await webhooks.createWebhook({ url: "https://example.com/hook", events: ["encode.succeeded"] });
  const { delivery } = await webhooks.testWebhook({ id: webhook?.id ?? "" });
  // Making one takes an authenticator, which is another test's affair.
  const passkey = { id: crypto.randomUUID() };
  await userDatabase.query(
    `insert into "user".passkeys (id, user_id, credential_id, public_key, signature_count, transports, synced, name, create_time)
     values ($1, $2, 'walk', '', 0, '{}', false, 'walk', now())`,
    [passkey.id, ada.id],
  );
  const hook = { id: webhook?.id ?? "" };
  const video = { id: videoId };
  const one = { id: encode?.id ?? "" };
  const user = { id: ada.id };
  const account = { serviceAccountId: crypto.randomUUID() };
  return {
    "encoder.v1.EncoderService.GetVideo": video,
    "encoder.v1.EncoderService.DeleteVideo": video,
    "encoder.v1.EncoderService.StartEncode": { videoId },
    "encoder.v1.EncoderService.GetEncode": one,
    "encoder.v1.EncoderService.WatchEncode": one,
    "encoder.v1.EncoderService.CancelEncode": one,
    "encoder.v1.EncoderService.RetryEncode": one,
    "encoder.v1.EncoderService.DeleteEncode": one,
    "encoder.v1.UploadService.CreateUploadParts": { videoId, firstPart: 1 },
    "encoder.v1.UploadService.ListUploadedParts": { videoId },
    "encoder.v1.UploadService.CompleteUpload": { videoId },
    "encoder.v1.WebhookService.UpdateWebhook": { ...hook, description: "walk" },
    "encoder.v1.WebhookService.DeleteWebhook": hook,
    "encoder.v1.WebhookService.RotateWebhookSecret": hook,
    "encoder.v1.WebhookService.TestWebhook": hook,
    "encoder.v1.WebhookService.ListWebhookDeliveries": { webhookId: hook.id },
    "encoder.v1.WebhookService.RedeliverWebhook": { deliveryId: delivery?.id ?? "" },
    "user.v1.FactorService.RenamePasskey": { ...passkey, name: "walked" },
    "user.v1.FactorService.RemovePasskey": passkey,
    "user.v1.UserService.GetUser": user,
    "user.v1.UserService.UpdateUser": { ...user, user: { name: "Ada" }, updateMask: { paths: ["name"] } },
    "user.v1.UserService.DeleteUser": user,
    "user.v1.QuotaService.GetQuota": { userId: ada.id },
    "user.v1.SessionService.EndSession": { id: other.sessionId },
    "user.v1.KeyService.DeleteKey": { id: key?.id ?? "" },
    "user.v1.KeyService.CreateKey": { name: "walk", scopes: ["videos:read"], ...account },
    "user.v1.KeyService.ListKeys": account,
  };
}
