import { createServer } from "@kinora/rpc";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readCookie } from "../session/browser-cookies.ts";
import { faultOf, type Person, type ServiceUnderTest, startServiceUnderTest } from "../testing/service-under-test.ts";

// ASVS 3.5.1 to 3.5.3: another site can't make a browser act with its cookies. 3.3.1 to 3.3.4: what the cookie is like. 14.2.1: tokens are in no URL.

const publicOrigin = "https://kinora.example";
const ownPage = { "kinora-cookies": "1", "sec-fetch-site": "same-origin", origin: publicOrigin };
let kinora: ServiceUnderTest;
let ada: Person;
let server: ReturnType<typeof createServer>;
let url: string;
beforeAll(async () => {
  kinora = await startServiceUnderTest();
  ada = await kinora.join("Ada");
  server = createServer(kinora.options());
  const { port } = await server.listen({ port: 0, host: "127.0.0.1" });
  url = `http://127.0.0.1:${port}`;
});
afterAll(async () => {
  await server?.close();
  await kinora?.close();
});

async function call(method: string, body: object, headers: Record<string, string>) {
  const response = await fetch(`${url}/user.v1.SessionService/${method}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  const cookie = response.headers.getSetCookie();
  // JSON is what it is: the tests say what must be in it.
  const answer = (await response.json().catch(() => undefined)) as {
    tokens: { accessToken: string; refreshToken?: string };
  };
  return { status: response.status, answer, cookie, response };
}
const login = (headers: Record<string, string>) =>
  call("CreateSession", { email: ada.email, password: ada.password }, headers);
const pair = (cookie: string[]) => cookie[0]?.split(";")[0] ?? "";

describe("a browser that asks for cookies", () => {
  it("gets one that no script, no other site and no other host sees, and no refresh token in the answer", async () => {
    const { status, answer, cookie, response } = await login(ownPage);
    expect(status).toBe(200);
    expect(answer.tokens.refreshToken).toBeUndefined();
    expect(answer.tokens.accessToken).toMatch(/^ey/);
    expect(cookie.length).toBe(1);
    expect(cookie[0]).toMatch(
      /^__Host-kinora_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=25\d{5}; Secure$/,
    );
    expect(response.headers.get("cache-control")).toBe("no-store");
  });

  it("refreshes and logs out with it alone", async () => {
    const first = await login(ownPage);
    const second = await call("RefreshSession", {}, { ...ownPage, cookie: pair(first.cookie) });
    expect(second.status).toBe(200);
    expect(second.answer.tokens.refreshToken).toBeUndefined();
    expect(pair(second.cookie)).not.toBe(pair(first.cookie));
    const out = await call("RevokeSession", {}, { ...ownPage, cookie: pair(second.cookie) });
    expect(out.cookie[0]).toMatch(/^__Host-kinora_session=; .*Max-Age=0/);
    expect((await call("RefreshSession", {}, { ...ownPage, cookie: pair(second.cookie) })).status).toBe(401);
  });
});

describe("3.5.1: a call with the cookie", () => {
  let cookie: string;
  beforeAll(async () => {
    cookie = pair((await login(ownPage)).cookie);
  });

  it.each<[string, Record<string, string>, number]>([
    [
      "from another site",
      { "kinora-cookies": "1", "sec-fetch-site": "cross-site", origin: "https://evil.example" },
      403,
    ],
    [
      "from another site that claims our origin",
      { "kinora-cookies": "1", "sec-fetch-site": "cross-site", origin: publicOrigin },
      403,
    ],
    [
      "from a sister of our site",
      { "kinora-cookies": "1", "sec-fetch-site": "same-site", origin: "https://blog.kinora.example" },
      403,
    ],
    ["from an address typed by hand", { "kinora-cookies": "1", "sec-fetch-site": "none" }, 403],
    ["of an old browser, from another site", { "kinora-cookies": "1", origin: "https://evil.example" }, 403],
    ["of an old browser, from a page without origin", { "kinora-cookies": "1", origin: "null" }, 403],
    ["that doesn't say where it comes from", { "kinora-cookies": "1" }, 403],
    ["without the header that other sites can't send", { "sec-fetch-site": "same-origin", origin: publicOrigin }, 400],
    ["as a form would send it", { "sec-fetch-site": "cross-site", origin: "https://evil.example" }, 400],
  ])("%s does nothing", async (_name, headers, status) => {
    for (const method of ["RefreshSession", "RevokeSession"]) {
      const refused = await call(method, {}, { ...headers, cookie });
      expect([refused.status, refused.cookie]).toEqual([status, []]);
    }
    cookie = pair((await call("RefreshSession", {}, { ...ownPage, cookie })).cookie);
    expect(cookie).not.toBe("");
  });

  it("of an old browser, from our page, does", async () => {
    const answer = await call("RefreshSession", {}, { "kinora-cookies": "1", origin: publicOrigin, cookie });
    expect(answer.status).toBe(200);
  });

  it("isn't allowed to other sites' scripts, which ask first", async () => {
    const asked = await fetch(`${url}/user.v1.SessionService/RefreshSession`, {
      method: "OPTIONS",
      headers: {
        origin: "https://evil.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type,kinora-cookies",
      },
    });
    expect(asked.headers.get("access-control-allow-headers")?.toLowerCase() ?? "").not.toMatch(/kinora-cookies|\*/);
    expect(asked.headers.get("access-control-allow-credentials")).toBeNull();
  });

  it.each(["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])(
    "as %s, which forms of any site can send, is none",
    async (type) => {
      for (const method of ["RefreshSession", "RevokeSession"]) {
        const headers = { ...ownPage, "content-type": type, cookie };
        expect((await call(method, {}, headers)).status).toBe(415);
      }
    },
  );

  it("by GET is none: methods that change something have no such form", async () => {
    const response = await fetch(`${url}/user.v1.SessionService/RefreshSession?message={}&encoding=json`, {
      headers: { ...ownPage, cookie },
    });
    expect([404, 405, 415]).toContain(response.status);
  });

  it("is no credential for anything else", async () => {
    expect((await call("GetSession", {}, { ...ownPage, cookie })).status).toBe(401);
    expect((await call("ListSessions", {}, { ...ownPage, cookie })).status).toBe(401);
  });
});

describe("14.2.1: a token in the URL", () => {
  it("is no credential", async () => {
    for (const name of ["access_token", "token", "authorization"]) {
      const response = await fetch(`${url}/user.v1.SessionService/GetSession?${name}=${ada.accessToken}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: "{}",
      });
      expect(response.status).toBe(401);
    }
  });
});

it("programs get no cookies", async () => {
  const { cookie, answer } = await login({});
  expect(cookie).toEqual([]);
  expect(answer.tokens.refreshToken).toMatch(/^[\w-]{43}$/);
  expect((await faultOf(kinora.as().sessions.refreshSession({ refreshToken: "" }))).code).toBe("InvalidArgument");
});

describe("readCookie", () => {
  it.each([
    [null, undefined],
    ["", undefined],
    ["a=b; s=token; c=d", "token"],
    ["s=token", "token"],
    ["xs=token", undefined],
    ["s=", undefined],
    ["s=one; s=two", undefined],
    ["s=a b", undefined],
    [`s=${"x".repeat(501)}`, undefined],
  ])("%j → %j", (cookies, value) => {
    expect(readCookie(cookies, "s")).toBe(value);
  });
});
