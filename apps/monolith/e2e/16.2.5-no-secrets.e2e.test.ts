import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { AccountService, FactorService, KeyService, SessionService, UserService } from "@kinora/proto-user";
import { type ClientTransport, createClientTransport } from "@kinora/rpc";
import { type MailServer, sampleVideo, startMailServer } from "@kinora/testing";
import { Secret, TOTP } from "otpauth";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createInstallation, type Installation } from "./support/installation.ts";

// ASVS 16.2.5: no secret is in any log. A whole system of three processes runs at log level "trace"; somebody signs up, logs in with two factors, changes and resets the password, makes
// a key, encodes a video; then everything that the processes and the databases wrote is searched for every secret that was used. 14.2.1: no token was in an address either.

let mail: MailServer;
let kinora: Installation;
const transports: ClientTransport[] = [];
const secrets = new Map<string, string>();
const keep = (name: string, secret: string | undefined): string => {
  if (secret === undefined || secret.length < 6) throw new Error(`there is no ${name}`);
  secrets.set(name, secret);
  return secret;
};

beforeAll(async () => {
  mail = await startMailServer();
  keep("SMTP password", "smtp-pass-word-0123");
  kinora = await createInstallation("services", {
    LOG_LEVEL: "trace",
    SMTP_URL: `smtp://kinora:smtp-pass-word-0123@127.0.0.1:${mail.port}`,
    VERIFY_EMAIL: "required",
  });
  await kinora.startAll();
}, 300_000);
afterAll(async () => {
  for (const transport of transports) transport.close();
  await kinora?.[Symbol.asyncDispose]();
  await mail?.[Symbol.asyncDispose]();
});

const as = (token?: string) => {
  const transport = createClientTransport({ baseUrl: kinora.userUrl, ...(token !== undefined && { token }) });
  transports.push(transport);
  return {
    users: createClient(UserService, transport),
    sessions: createClient(SessionService, transport),
    accounts: createClient(AccountService, transport),
    factors: createClient(FactorService, transport),
    keys: createClient(KeyService, transport),
  };
};
const email = "ada@example.com";
const codeFrom = async (name: string) => {
  for (;;) {
    const code = /^ {4}(\d{8})\r?$/m.exec((await mail.next(email)).data)?.[1];
    if (code !== undefined) return keep(name, code);
  }
};

it("keeps every secret of a whole run out of every log", { timeout: 600_000 }, async () => {
  const password = keep("first password", "seventeen swans went west");
  const { verificationId } = await as().users.createUser({ email, name: "Ada", password });
  await as().accounts.verifySignUp({ verificationId, code: await codeFrom("sign-up code") });
  await as()
    .sessions.createSession({ email, password: keep("wrong password", "eighteen swans went east") })
    .catch(() => {});

  const first = await as().sessions.createSession({ email, password });
  const access = keep("access token", first.tokens?.accessToken);
  keep("refresh token", first.tokens?.refreshToken);
  const { secret, uri } = await as(access).factors.startTotp({});
  keep("TOTP secret", secret);
  keep("TOTP address", uri);
  const app = new TOTP({ secret: Secret.fromBase32(secret) });
  const { recoveryCodes } = await as(access).factors.confirmTotp({ code: keep("TOTP code", app.generate()) });
  for (const [index, code] of recoveryCodes.entries()) keep(`recovery code ${index}`, code);

  const pending = await as().sessions.createSession({ email, password });
  const check = { proof: { case: "recoveryCode" as const, value: recoveryCodes[0] ?? "" } };
  const second = await as().sessions.addCheck({ checkToken: keep("check token", pending.checkToken), check });
  const strong = keep("second access token", second.tokens?.accessToken);
  const refreshed = await as().sessions.refreshSession({
    refreshToken: keep("its refresh token", second.tokens?.refreshToken),
  });
  keep("refreshed access token", refreshed.tokens?.accessToken);
  keep("refreshed refresh token", refreshed.tokens?.refreshToken);
  const { secret: key } = await as(strong).keys.createKey({ name: "test", scopes: ["videos:read"] });
  const exchanged = await as().keys.exchangeKey({ key: keep("API key", key) });
  keep("token of the key", exchanged.accessToken);

  const next = keep("second password", "nineteen swans stayed here");
  await as(strong).accounts.changePassword({ currentPassword: password, newPassword: next });
  const { resetId } = await as().accounts.requestPasswordReset({ email });
  const third = keep("third password", "twenty swans flew south");
  await as().accounts.resetPassword({ resetId, code: await codeFrom("reset code"), password: third });

  const owner = JSON.parse(await readFile(join(kinora.dataDir, "credentials", "owner.json"), "utf8"));
  keep("owner's password", owner.password);
  const { exchangeKey } = as().keys;
  for (const name of ["encoder-key", "worker-key"]) {
    const key = (await readFile(join(kinora.dataDir, "credentials", name), "utf8")).trim();
    keep(name, key);
    keep(`token of the ${name}`, (await exchangeKey({ key })).accessToken);
  }
  const encoded = await kinora.kinora("encode", sampleVideo);
  expect(encoded.code, encoded.stderr).toBe(0);

  const logs = await allLogs();
  // What is searched is what was written: each call's line is there, and both databases' logs.
  expect(logs.get("user")).toContain("user.v1.AccountService/ResetPassword");
  expect(logs.get("encoder-worker")).not.toBe("");
  expect([...logs.keys()].filter((name) => name.endsWith(".log")).length).toBe(2);
  const found = [...secrets].flatMap(([name, value]) =>
    [...logs].filter(([, text]) => text.includes(value)).map(([log]) => `${name} in the log of ${log}`),
  );
  expect(found).toEqual([]);
});

/** What processes and databases wrote, by name. */
async function allLogs(): Promise<Map<string, string>> {
  const logs = new Map<string, string>(kinora.names.map((name) => [name, kinora.process(name).output()]));
  for (const path of await readdir(kinora.dataDir, { recursive: true })) {
    if (path.endsWith(".log")) logs.set(path, await readFile(join(kinora.dataDir, path), "utf8"));
  }
  return logs;
}
