import { afterAll, beforeAll, expect, it } from "vitest";
import { absoluteLifetimeMs, idleLifetimeMs } from "../session/session.ts";
import { faultOf, type Person, type ServiceUnderTest, startServiceUnderTest } from "../testing/service-under-test.ts";

// ASVS 7.3.1: a session that nobody uses ends. 7.3.2: every session ends.

let kinora: ServiceUnderTest;
let ada: Person;
beforeAll(async () => {
  kinora = await startServiceUnderTest();
  ada = await kinora.join("Ada");
});
afterAll(() => kinora?.close());

const refresh = async (refreshToken: string) =>
  (await kinora.as().sessions.refreshSession({ refreshToken })).tokens?.refreshToken ?? "";
const ended = async (call: Promise<unknown>) => expect((await faultOf(call)).code).toBe("Unauthenticated");

it("7.3.1: a session ends thirty days after its last use, and not before", async () => {
  const { refreshToken } = await kinora.login(ada.email, ada.password);
  kinora.advance(idleLifetimeMs - 1000);
  const next = await refresh(refreshToken);
  kinora.advance(idleLifetimeMs - 1000);
  const last = await refresh(next);
  kinora.advance(idleLifetimeMs);
  await ended(refresh(last));
});

it("7.3.2: a session ends ninety days after it began, and says so beforehand", async () => {
  const { refreshToken, accessToken } = await kinora.login(ada.email, ada.password);
  const end = kinora.now().getTime() + absoluteLifetimeMs;
  const { session } = await kinora.as(accessToken).sessions.getSession({});
  expect(Math.abs(Number(session?.expireTime?.seconds) * 1000 - end)).toBeLessThan(60_000);
  let token = refreshToken;
  for (let day = 0; day < 80; day += 20) {
    kinora.advance(20 * 86_400_000);
    token = await refresh(token);
  }
  kinora.advance(10 * 86_400_000);
  await ended(refresh(token));
});

it("a session that has ended isn't listed, can't be confirmed, and is swept away", async () => {
  const { accessToken } = await kinora.login(ada.email, ada.password);
  kinora.advance(idleLifetimeMs);
  const { sessions } = kinora.as(accessToken);
  await ended(sessions.listSessions({}));
  await ended(sessions.confirmSession({ check: { proof: { case: "password", value: ada.password } } }));
});
