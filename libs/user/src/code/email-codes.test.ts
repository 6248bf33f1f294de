import { afterAll, beforeAll, expect, it } from "vitest";
import type { MailQueue } from "../mail/mail-queue.ts";
import { createStore } from "../store/store.ts";
import {
  faultOf,
  type ServiceUnderTest,
  startServiceUnderTest,
  testPasswordHasher,
} from "../testing/service-under-test.ts";
import { sealCode } from "./email-code.store.ts";
import { createEmailCodes } from "./email-codes.ts";

let kinora: ServiceUnderTest;
beforeAll(async () => {
  kinora = await startServiceUnderTest();
});
afterAll(() => kinora?.close());

it("has neither lost a code nor half of its effect when the database goes away in the middle of the transaction", async () => {
  const signal = AbortSignal.timeout(120_000);
  const store = createStore(kinora.database);
  const passwords = testPasswordHasher();
  const mail: MailQueue = { sendCode: async () => {}, sendNotice: async () => {}, hurry() {} };
  const codes = createEmailCodes({ store, passwords, mail, now: kinora.now });
  const ada = await kinora.join("Ada");
  const { id } = await store.transaction(signal, (tx) =>
    codes.request(tx, { purpose: "verify_email", email: ada.email, genuine: true, userId: ada.id }),
  );
  await sealCode(store.on(signal), id, await passwords.hash("12345678", signal));
  const nameOf = async () => (await kinora.as(ada.accessToken).users.getUser({ id: ada.id })).name;

  const redeem = (inTheMiddle: string) =>
    codes.redeem({ id, purpose: "verify_email", code: "1234 5678" }, signal, async (tx) => {
      await tx.query("update users set name = 'Changed' where id = $1", [ada.id]);
      await tx.query(inTheMiddle);
    });
  const broken = redeem("select pg_terminate_backend(pg_backend_pid())").catch(
    (error: { reason?: string }) => error.reason,
  );
  expect(await broken).toBe("unavailable");
  expect(await nameOf()).toBe("Ada");
  await redeem("select 1");
  expect(await nameOf()).toBe("Changed");
  expect((await faultOf(redeem("select 1"))).message).toContain("has been used");
});
