import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { startNode, temporaryFolder, waitUntil } from "@kinora/testing";
import { Secret, TOTP } from "otpauth";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createInstallation, type Installation } from "./support/installation.ts";

// The command line against a real Kinora: what people do about accounts, each in a process of its own.

let kinora: Installation;
let home: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  home = await temporaryFolder("kinora-accounts-");
  kinora = await createInstallation("monolith", { WORKER_SLOTS: "0" });
  await kinora.startAll();
}, 300_000);
afterAll(async () => {
  await kinora?.[Symbol.asyncDispose]();
  await home?.remove();
});

/** Runs `kinora` as somebody at another machine, with a login of their own. */
const as =
  (person: string) =>
  (args: string[], input = "") =>
    startNode("apps/cli/src/main.ts", {
      args,
      input,
      env: { XDG_CONFIG_HOME: join(home.path, person), KINORA_DATA: home.path, KINORA_SERVER: kinora.userUrl },
    }).exit;
const ada = as("ada");
const password = "seventeen swans went west";

/** Runs `kinora` as the owner; it must succeed. */
async function run(...args: string[]) {
  const result = await kinora.kinora(...args);
  expect(result.code, result.stderr).toBe(0);
  return result;
}

describe("kinora", { timeout: 300_000 }, () => {
  let secret = "";
  const code = (ahead = 0) =>
    new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: Date.now() + ahead * 30_000 });
  let recoveryCodes: string[] = [];

  it("signs up, and turns a second factor on", async () => {
    const made = await ada(["signup", "ada@example.com", "--name", "Ada", "--password-stdin"], `${password}\n`);
    expect(made.code, made.stderr).toBe(0);
    const started = await ada(["account", "totp", "on", "--json"]);
    expect(started.code, started.stderr).toBe(0);
    secret = JSON.parse(started.stdout).secret;
    const confirmed = await ada(["account", "totp", "confirm", "--code", code(), "--json"]);
    expect(confirmed.code, confirmed.stderr).toBe(0);
    recoveryCodes = JSON.parse(confirmed.stdout).recoveryCodes;
    expect(recoveryCodes.length).toBe(10);
    expect((await ada(["account"])).stdout).toMatch(/Second factors +authenticator app\nRecovery codes +10\n/);
  });

  it("logs in with a code, with a recovery code, and not without", async () => {
    const login = (...more: string[]) =>
      ada(["login", "ada@example.com", "--password-stdin", ...more], `${password}\n`);
    const bare = await login();
    expect(bare).toMatchObject({ code: 2 });
    expect(bare.stderr).toContain("This account has a second factor");
    const wrong = await login("--code", "000000");
    expect(wrong).toMatchObject({ code: 1 });
    expect(wrong.stderr).toContain("The code is wrong or has been used");
    // The step after this one is within a clock's tolerance, and wasn't used when the app was turned on.
    const right = await login("--code", code(1));
    expect(right.code, right.stderr).toBe(0);
    const recovered = await login("--code", recoveryCodes[0] ?? "");
    expect(recovered.code, recovered.stderr).toBe(0);
    expect((await login("--code", recoveryCodes[0] ?? "")).code).toBe(1);
  });

  it("changes the password, exports, and shows what happened", async () => {
    const next = "eighteen swans went east";
    const changed = await ada(["account", "password"], `${password}\n${next}\n`);
    expect(changed.code, changed.stderr).toBe(0);
    const weak = await ada(["account", "password"], `${next}\nkinora\n`);
    expect(weak).toMatchObject({ code: 1 });
    const data = JSON.parse((await ada(["account", "export"])).stdout);
    expect(data.users).toMatchObject([{ email: "ada@example.com" }]);
    const events = (await ada(["account", "events", "--json"])).stdout.trim().split("\n");
    expect(events.map((line) => JSON.parse(line))).toContainEqual(
      expect.objectContaining({ type: "password.changed", device: "kinora" }),
    );
  });

  it("lists passkeys, and says where one is made", async () => {
    const none = await ada(["account", "passkeys"]);
    expect(none).toMatchObject({ code: 0, stdout: "" });
    expect(none.stderr).toContain("made in a browser");
    expect((await ada(["account", "passkeys", "remove", "phone"])).stderr).toContain('You have no passkey "phone"');
    expect((await ada(["account", "passkeys", "add"])).code).toBe(1);
  });

  it("makes accounts for programs and fleets, with keys of their own, and shuts one out", async () => {
    await run("service-accounts", "create", "gpus", "--kind", "worker");
    const { stdout: made } = await run("keys", "create", "gpus-in-paris", "--account", "gpus");
    const exchange = () =>
      startNode("apps/cli/src/main.ts", {
        args: ["keys", "exchange", "--json"],
        env: { KINORA_DATA: home.path, KINORA_SERVER: kinora.userUrl, KINORA_API_KEY: made.trim() },
      }).exit;
    const [, body = ""] = JSON.parse((await exchange()).stdout).accessToken.split(".");
    expect(JSON.parse(Buffer.from(body, "base64url").toString())).toMatchObject({
      kind: "worker",
      scope: "tasks:work",
    });
    expect((await run("keys", "--account", "gpus")).stdout).toMatch(/gpus-in-paris +kinora_\w{8}_… .*tasks:work\n/);
    await run("service-accounts", "disable", "gpus");
    expect((await run("service-accounts")).stdout).toMatch(/ gpus +worker, disabled /);
    expect((await exchange()).code).toBe(1);
    await run("service-accounts", "enable", "gpus");
    expect((await exchange()).code).toBe(0);
    expect((await kinora.kinora("keys", "delete", "gpus-in-rome", "--account", "gpus")).stderr).toContain(
      "gpus has no key gpus-in-rome",
    );
    await run("keys", "delete", "gpus-in-paris", "--account", "gpus");
    expect((await exchange()).code).toBe(1);
    await run("service-accounts", "delete", "gpus", "--yes");
    expect((await kinora.kinora("service-accounts", "disable", "gpus")).stderr).toContain(
      "There is no service account gpus",
    );
    expect((await kinora.kinora("service-accounts", "create", "x", "--kind", "robot")).code).toBe(2);
    const refused = await ada(["service-accounts"]);
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.stderr).toContain("Only administrators and the owner can do this");
    expect((await ada(["sessions", "end", "phone"])).stderr).toContain("You have no session phone");
  });

  it("manages people as the owner", async () => {
    expect((await run("users")).stdout).toMatch(/ada@example\.com +Ada +member/);
    await run("users", "invite", "bob@example.com", "--role", "admin");
    const [, invitation = ""] = await waitUntil("the invitation's letter", async () => {
      const folder = join(kinora.dataDir, "outbox");
      const letters = await Promise.all((await readdir(folder)).map((file) => readFile(join(folder, file), "utf8")));
      const letter = letters.find((text) => text.includes("To: bob@example.com"));
      return letter === undefined ? undefined : (/^ {4}(\S+)$/m.exec(letter) ?? undefined);
    });
    const joined = await as("bob")(
      ["signup", "bob@example.com", "--name", "Bob", "--invitation", invitation],
      password,
    );
    expect(joined.code, joined.stderr).toBe(0);
    expect((await as("bob")(["whoami"])).stdout).toContain("administrator");
    await run("users", "role", "bob@example.com", "member");
    await run("users", "disable", "ada@example.com");
    expect((await ada(["whoami"])).code).toBe(1);
    await run("users", "enable", "ada@example.com");
    await run("users", "events", "ada@example.com");
    expect((await run("users", "quota", "ada@example.com", "--minutes", "90", "--storage", "1.5")).stdout).toBe(
      "Encoded this month  0 min of 90 min\nStorage             0 B of 1.5 GB\n",
    );
    expect((await run("users", "quota", "ada@example.com", "--minutes", "none")).stdout).toMatch(
      / 0 min\n.* of 1\.5 GB\n/,
    );
    await run("users", "delete", "ada@example.com", "--yes");
    expect((await run("users", "--json")).stdout).not.toContain("ada@example.com");
    expect((await as("bob")(["users"])).code).toBe(1);
    const gone = await as("bob")(["account", "delete", "--yes"]);
    expect(gone.code, gone.stderr).toBe(0);
  });
});
