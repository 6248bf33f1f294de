import type { RequestListener } from "node:http";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { browserFile, faultsOf, openBrowser, withoutBrowser } from "./support/browser.ts";
import { createInstallation, type Installation } from "./support/installation.ts";
import { startTlsFront, type TlsFront } from "./support/tls-front.ts";

// A browser logs in over TLS, with its cookie and with passkeys of a real authenticator's protocol (ASVS 3.3, 3.5.1, 6.7), beside a site that means harm and a neighbour of our own name.

const own = "https://kinora.example";
const neighbour = "https://blog.kinora.example";
const stranger = "https://evil.test";
const password = "seventeen swans went west";
const email = "ada@example.com";
const user = "user.v1.UserService";
const session = "user.v1.SessionService";
const factor = "user.v1.FactorService";

/** What the services answer, in JSON: tests say what must be in it. */
type Answer = {
  status: number;
  body: {
    tokens?: { accessToken: string; refreshToken?: string };
    needed?: string[];
    checkToken?: string;
    challengeId: string;
    optionsJson: string;
    recoveryCodes?: string[];
    sessions?: { id: string; current?: boolean }[];
    ended?: number;
    message?: string;
  };
};

if (withoutBrowser !== undefined) console.warn(`Logging in by a browser isn't tried: there is ${withoutBrowser}.`);

describe.skipIf(browserFile === undefined)("in a browser", { timeout: 120_000 }, () => {
  let kinora: Installation;
  let front: TlsFront;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let accessToken = "";
  /** Whether the authenticator takes whoever is there for its user. */
  let setVerified = async (_isUserVerified: boolean): Promise<void> => {};

  beforeAll(async () => {
    kinora = await createInstallation("monolith", {
      WORKER_SLOTS: "0",
      PUBLIC_URL: own,
      TRUSTED_PROXIES: "127.0.0.1",
    });
    await kinora.startAll();
    const blank: RequestListener = (_request, response) => {
      response.setHeader("content-type", "text/html");
      response.end("<!doctype html><title>elsewhere</title>");
    };
    front = await startTlsFront({
      "kinora.example": kinora.userUrl,
      "blog.kinora.example": blank,
      "evil.test": blank,
    });
    browser = await openBrowser(front.browserArgs);
    context = await browser.newContext();
    page = await open(own);
  }, 300_000);
  afterAll(async () => {
    await browser?.close();
    await front?.[Symbol.asyncDispose]();
    await kinora?.[Symbol.asyncDispose]();
  });

  /** A tab with an authenticator that has a resident key and has verified its user. */
  async function open(site: string): Promise<Page> {
    const tab = await context.newPage();
    await tab.goto(`${site}/healthz`);
    return tab;
  }
  async function plugIn(tab: Page, isUserVerified = true) {
    const devtools = await context.newCDPSession(tab);
    await devtools.send("WebAuthn.enable");
    const { authenticatorId } = await devtools.send("WebAuthn.addVirtualAuthenticator", {
      options: {
        protocol: "ctap2",
        transport: "internal",
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified,
        automaticPresenceSimulation: true,
      },
    });
    return { devtools, authenticatorId };
  }

  /** Calls as a page of ours does. */
  const call = (method: string, body: object, token = ""): Promise<Answer> =>
    page.evaluate(
      async ({ method, body, token }) => {
        const headers: Record<string, string> = { "content-type": "application/json", "kinora-cookies": "1" };
        if (token !== "") headers.authorization = `Bearer ${token}`;
        const answer = await fetch(`/${method}`, { method: "POST", headers, body: JSON.stringify(body) });
        return { status: answer.status, body: (await answer.json()) as Answer["body"] };
      },
      { method, body, token },
    );
  /** Has the browser answer the options of a ceremony, on a page; what it says instead where it doesn't. */
  const ceremony = (kind: "create" | "get", optionsJson: string, tab: Page = page): Promise<string> =>
    tab.evaluate(
      `(async () => {
        const options = PublicKeyCredential.parse${kind === "create" ? "Creation" : "Request"}OptionsFromJSON(${optionsJson});
        const credential = await navigator.credentials.${kind}({ publicKey: options });
        return JSON.stringify(credential.toJSON());
      })().catch((error) => error.name)`,
    );
  const cookies = async () => (await context.cookies(own)).filter(({ name }) => name.includes("kinora"));
  const stillThere = async () => (await call(`${session}/RefreshSession`, {})).status;

  it("signs up and logs in with a cookie that no script sees", async () => {
    expect((await call(`${user}/CreateUser`, { email, name: "Ada", password })).status).toBe(200);
    const login = await call(`${session}/CreateSession`, { email, password });
    expect(login.body.tokens?.refreshToken ?? "").toBe("");
    accessToken = login.body.tokens?.accessToken ?? "";
    expect(await cookies()).toMatchObject([
      {
        name: "__Host-kinora_session",
        domain: "kinora.example",
        path: "/",
        httpOnly: true,
        secure: true,
        sameSite: "Strict",
      },
    ]);
    expect(await page.evaluate("[document.cookie, localStorage.length, sessionStorage.length]")).toEqual(["", 0, 0]);
    const [before] = await cookies();
    expect(await stillThere()).toBe(200);
    expect((await cookies())[0]?.value).not.toBe(before?.value);
  });

  it("means nothing where another site sends it: forms, scripts and frames, a stranger's and a neighbour's", async () => {
    for (const site of [stranger, neighbour]) {
      const tab = await open(site);
      for (const enctype of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]) {
        const answered = tab.waitForResponse(`${own}/${session}/RevokeSession`);
        await tab.evaluate(
          ({ action, enctype }) => {
            const document = (globalThis as unknown as { document: HtmlDocument }).document;
            document.body.innerHTML = `<iframe name="frame"></iframe><form method="post" target="frame" enctype="${enctype}" action="${action}"><input name='{"x":"' value='"}'></form>`;
            document.querySelector("form").submit();
          },
          { action: `${own}/${session}/RevokeSession`, enctype },
        );
        expect([site, enctype, (await answered).status()]).toEqual([site, enctype, 415]);
      }
      const sent = (headers: Record<string, string>, mode: string) =>
        tab.evaluate(
          ({ url, headers, mode }) =>
            fetch(url, { method: "POST", mode: mode as "cors", credentials: "include", headers, body: "{}" }).then(
              (answer) => answer.type,
              (error: Error) => error.name,
            ),
          { url: `${own}/${session}/RevokeSession`, headers, mode },
        );
      // Ours needs a header that asks first, and isn't allowed; without asking there is no JSON.
      expect(await sent({ "content-type": "application/json", "kinora-cookies": "1" }, "cors")).toBe("TypeError");
      expect(await sent({ "content-type": "application/json" }, "cors")).toBe("TypeError");
      expect(await sent({ "content-type": "text/plain" }, "no-cors")).toBe("opaque");
      await tab.close();
    }
    expect(await stillThere()).toBe(200);
  });

  it("isn't displaced by a cookie that a neighbour sets for all of our name", async () => {
    const tab = await open(neighbour);
    await tab.evaluate(`
      document.cookie = "__Host-kinora_session=mine; Domain=kinora.example; Path=/; Secure";
      document.cookie = "kinora_session=mine; Domain=kinora.example; Path=/; Secure";
    `);
    await tab.close();
    expect((await cookies()).filter(({ name }) => name.startsWith("__Host-")).length).toBe(1);
    expect(await stillThere()).toBe(200);
  });

  it("registers a passkey, which then is asked for, and is enough by itself", async () => {
    const { devtools, authenticatorId } = await plugIn(page);
    setVerified = (isUserVerified) =>
      devtools.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified }).then(() => {});
    const start = await call(`${factor}/StartPasskey`, {}, accessToken);
    const credentialJson = await ceremony("create", start.body.optionsJson);
    const { challengeId } = start.body;
    const made = await call(`${factor}/ConfirmPasskey`, { challengeId, credentialJson, name: "laptop" }, accessToken);
    expect([made.status, made.body.recoveryCodes?.length]).toEqual([200, 10]);

    const half = await call(`${session}/CreateSession`, { email, password });
    expect(half.body).toMatchObject({ needed: ["FACTOR_PASSKEY", "FACTOR_RECOVERY_CODE"] });
    expect(half.body.tokens).toBeUndefined();
    const { checkToken = "" } = half.body;
    const asked = await call(`${session}/CreatePasskeyChallenge`, { checkToken });
    const responseJson = await ceremony("get", asked.body.optionsJson);
    const passkey = { challengeId: asked.body.challengeId, responseJson };
    expect((await call(`${session}/AddCheck`, { checkToken, check: { passkey } })).status).toBe(200);

    const alone = await call(`${session}/CreatePasskeyChallenge`, {});
    const answer = {
      challengeId: alone.body.challengeId,
      responseJson: await ceremony("get", alone.body.optionsJson),
    };
    const login = await call(`${session}/CreateSession`, { passkey: answer });
    expect(login.status).toBe(200);
    accessToken = login.body.tokens?.accessToken ?? "";
    expect((await call(`${session}/CreateSession`, { passkey: answer })).status).toBe(401);

    // Somebody else's hand at the same key.
    await setVerified(false);
    const unproven = await call(`${session}/CreatePasskeyChallenge`, {});
    expect(await ceremony("get", unproven.body.optionsJson)).toBe("NotAllowedError");
  });

  it("gives no other site an answer that logs in", async () => {
    const [asked, next] = [
      await call(`${session}/CreatePasskeyChallenge`, {}),
      await call(`${session}/CreatePasskeyChallenge`, {}),
    ];
    const far = await open(stranger);
    await plugIn(far);
    expect(await ceremony("get", asked.body.optionsJson, far)).toBe("SecurityError");
    await far.close();

    // Browsers let a neighbour use our name, and write down whose page it was.
    const near = await open(neighbour);
    const { devtools, authenticatorId } = await plugIn(near);
    const key = await call(`${factor}/StartPasskey`, {}, accessToken);
    const foreign = await ceremony("create", key.body.optionsJson, near);
    expect(foreign).toContain("clientDataJSON");
    const { challengeId } = key.body;
    const registered = await call(
      `${factor}/ConfirmPasskey`,
      { challengeId, credentialJson: foreign, name: "trap" },
      accessToken,
    );
    expect(registered.status).toBe(400);
    const responseJson = await ceremony("get", next.body.optionsJson, near);
    expect(responseJson).toContain("clientDataJSON");
    const login = await call(`${session}/CreateSession`, {
      passkey: { challengeId: next.body.challengeId, responseJson },
    });
    expect(login.status).toBe(401);
    await devtools.send("WebAuthn.removeVirtualAuthenticator", { authenticatorId });
    await near.close();
  });

  it("lists its sessions, ends the others, and logs out", async () => {
    const listed = await call(`${session}/ListSessions`, {}, accessToken);
    expect(listed.body.sessions?.length).toBe(3);
    expect(listed.body.sessions?.filter(({ current }) => current).length).toBe(1);
    expect((await call(`${session}/EndOtherSessions`, {}, accessToken)).body.ended).toBe(2);
    expect(await stillThere()).toBe(200);
    expect((await call(`${session}/RevokeSession`, {})).status).toBe(200);
    expect((await cookies()).filter(({ name }) => name.startsWith("__Host-"))).toEqual([]);
    expect(await stillThere()).toBe(400);
    expect((await call(`${session}/GetSession`, {}, accessToken)).status).toBe(401);
  });

  it("signs in on the page at /, by a passkey alone and by one after the password", async () => {
    const faults = faultsOf(page);
    const press = (name: string) => page.getByRole("button", { name, exact: true }).locator("visible=true").click();
    await setVerified(true);
    await page.goto(own);
    await press("Use a passkey");
    await page.getByText(email).waitFor();
    await press("Sign out");

    await page.getByLabel("E-mail").fill(email);
    await page.getByLabel("Password").fill(password);
    await press("Sign in");
    await page.getByLabel(/authenticator/).waitFor();
    await press("Use a passkey");
    await page.getByText(email).waitFor();
    // The neighbour's is there as well.
    const ours = async () => (await cookies()).filter(({ name }) => name.startsWith("__Host-"));
    expect(await ours()).toMatchObject([{ httpOnly: true, secure: true, sameSite: "Strict" }]);
    expect(await page.evaluate("document.cookie")).not.toContain("__Host-");

    await press("Sign out");
    await setVerified(false);
    await press("Use a passkey");
    await page.getByRole("alert").getByText("No passkey was used.").waitFor();
    expect(await ours()).toEqual([]);
    expect(faults).toEqual([]);
  });
});

/** The part of a page's document that is used here. */
type HtmlDocument = { body: { innerHTML: string }; querySelector(selector: string): { submit(): void } };
