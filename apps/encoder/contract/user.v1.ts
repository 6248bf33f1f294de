/**
 * What the encoder relies on in the user service, beyond the shapes of messages. `kinora-deploy record` keeps this program with what is deployed, and team user's
 * `kinora-deploy can-i-deploy user` runs it against their candidate: PROVIDER_URL is where that answers, PROVIDER_DATA its folder.
 */
import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { after, test } from "node:test";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { KeyService, QuotaService, SessionService } from "@kinora/proto-user";
import { createClientTransport } from "@kinora/rpc";

const { PROVIDER_URL: baseUrl = "", PROVIDER_DATA: data = "" } = process.env;
// As the encoder of a machine does: the key that it leaves in the data folder is exchanged for a token.
const key = `kinora_contract_${randomBytes(32).toString("base64url")}`;
await mkdir(`${data}/credentials`, { recursive: true });
await writeFile(`${data}/credentials/encoder-key`, key, { mode: 0o600 });
const anonymous = createClientTransport({ baseUrl });
const { accessToken: token } = await createClient(KeyService, anonymous).exchangeKey({ key, audiences: ["user"] });
anonymous.close();
const transport = createClientTransport({ baseUrl, token });
after(() => transport.close());
const quota = createClient(QuotaService, transport);

async function someUser(): Promise<string> {
  const owner: { email: string; password: string } = JSON.parse(
    await readFile(`${data}/credentials/owner.json`, "utf8"),
  );
  const { user } = await createClient(SessionService, transport).createSession(owner);
  return user?.id ?? "";
}
const codeOf = (call: Promise<unknown>): Promise<Code | undefined> =>
  call.then(
    () => undefined,
    (error) => ConnectError.from(error).code,
  );

test("quota that is reserved and settled counts as used, once, however often it is told", async () => {
  const userId = await someUser();
  const { usedSeconds: before } = await quota.getQuota({ userId });
  const reservationId = randomUUID();
  for (let repeat = 0; repeat < 2; repeat++) await quota.reserveQuota({ reservationId, userId, seconds: 60 });
  for (let repeat = 0; repeat < 2; repeat++) await quota.settleQuota({ reservationId, seconds: 50 });
  assert.equal((await quota.getQuota({ userId })).usedSeconds - before, 50);
});

test("a reservation that was released is not used, and can't be settled or made again", async () => {
  const userId = await someUser();
  const { usedSeconds: before } = await quota.getQuota({ userId });
  const reservationId = randomUUID();
  await quota.reserveQuota({ reservationId, userId, seconds: 60 });
  for (let repeat = 0; repeat < 2; repeat++) await quota.releaseQuota({ reservationId });
  assert.equal(await codeOf(quota.settleQuota({ reservationId, seconds: 1 })), Code.FailedPrecondition);
  assert.equal(await codeOf(quota.reserveQuota({ reservationId, userId, seconds: 60 })), Code.FailedPrecondition);
  assert.equal((await quota.getQuota({ userId })).usedSeconds, before);
});

test("storage that is set aside, recorded and freed counts once, in whatever order it is told, and what is gone stays gone", async () => {
  const userId = await someUser();
  const { usedStorageBytes: before } = await quota.getQuota({ userId });
  const used = async () => Number((await quota.getQuota({ userId })).usedStorageBytes - before);
  const itemId = randomUUID();
  for (let repeat = 0; repeat < 2; repeat++) await quota.reserveStorage({ itemId, userId, bytes: 60n });
  for (let repeat = 0; repeat < 2; repeat++) await quota.recordStorage({ changes: [{ itemId, userId, bytes: 50n }] });
  assert.equal(await used(), 50);
  const never = randomUUID();
  await quota.recordStorage({
    changes: [
      { itemId, userId },
      { itemId: never, userId },
    ],
  });
  await quota.recordStorage({ changes: [{ itemId: never, userId, bytes: 7n }] });
  assert.equal(await used(), 0);
});

test("a reservation grows where the source is longer than its headers stated", async () => {
  const userId = await someUser();
  const { reservedSeconds: before } = await quota.getQuota({ userId });
  const reservationId = randomUUID();
  for (const seconds of [60, 90]) await quota.reserveQuota({ reservationId, userId, seconds });
  assert.equal((await quota.getQuota({ userId })).reservedSeconds - before, 90);
  await quota.releaseQuota({ reservationId });
});

test("quota for somebody who doesn't exist is told from a fault", async () => {
  const reservation = { reservationId: randomUUID(), userId: randomUUID(), seconds: 1 };
  assert.equal(await codeOf(quota.reserveQuota(reservation)), Code.NotFound);
});

test("releasing what was never reserved, or settling it, does no harm", async () => {
  await quota.releaseQuota({ reservationId: randomUUID() });
  assert.equal(await codeOf(quota.settleQuota({ reservationId: randomUUID(), seconds: 1 })), Code.NotFound);
});

test("access tokens are verified with the keys at /.well-known/jwks.json", async () => {
  const answer = await fetch(`${baseUrl}/.well-known/jwks.json`);
  const { keys } = (await answer.json()) as { keys: { kid?: string; alg?: string; d?: string }[] };
  assert.ok(keys.length > 0);
  for (const { kid, alg, d } of keys) assert.ok(kid !== undefined && alg === "EdDSA" && d === undefined);
});

test("a person can't reserve for themselves", async () => {
  const anonymous = createClientTransport({ baseUrl });
  try {
    const call = createClient(QuotaService, anonymous).reserveQuota({
      reservationId: randomUUID(),
      userId: randomUUID(),
      seconds: 1,
    });
    assert.equal(await codeOf(call), Code.Unauthenticated);
  } finally {
    anonymous.close();
  }
});
