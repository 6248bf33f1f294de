import { EncodeState } from "@kinora/proto-encoder";
import { afterEach, describe, expect, it } from "vitest";
import { encodeOne, must, probe, soon, startOne, waitForState } from "../testing/harness.ts";
import { media } from "../testing/media.ts";
import { useEncoder } from "../testing/use-encoder.ts";

const installation = useEncoder();

afterEach(async () => {
  Object.assign(installation.quota, { away: false, limitSeconds: Number.POSITIVE_INFINITY });
  await installation.database.pool.query("DELETE FROM videos");
});

describe("planning", () => {
  it("fails with the plan's sentence when the file can't be encoded, and reserves nothing", async () => {
    const { worker, ...encoder } = installation.encoder;
    const person = encoder.person();
    const { encodeId } = await startOne(person);
    await probe(worker, { ...media, video: undefined });
    const encode = await waitForState(person, encodeId, EncodeState.FAILED);
    expect(encode.error).toMatch(/only audio/);
    expect(encode.media?.audio).toHaveLength(1);
    expect(encode.plan).toBeUndefined();
    expect(installation.quota.reservations.has(encodeId)).toBe(false);
  });

  it("survives figures that no file can have", async () => {
    const { worker, ...encoder } = installation.encoder;
    const person = encoder.person();
    for (const durationSeconds of [Number.NaN, Number.POSITIVE_INFINITY, -1]) {
      const { encodeId } = await startOne(person);
      await probe(worker, { ...media, format: "a\0b", durationSeconds });
      expect((await waitForState(person, encodeId, EncodeState.FAILED)).error).not.toBe("");
    }
  });

  it("fails with the user service's sentence when the quota doesn't suffice", async () => {
    const { quota, encoder } = installation;
    const person = encoder.person();
    const { encodeId } = await startOne(person);
    quota.limitSeconds = 5;
    await probe(encoder.worker);
    expect(await waitForState(person, encodeId, EncodeState.FAILED)).toMatchObject({
      error: "Your quota of this month is used up.",
    });
  });

  it("waits while the user service is away, and goes on by itself", async () => {
    const { quota, encoder } = installation;
    const person = encoder.person();
    const { encodeId } = await startOne(person);
    quota.away = true;
    const before = quota.missedCalls;
    await probe(encoder.worker);
    await expect.poll(() => quota.missedCalls, soon).toBeGreaterThan(before + 1);
    expect((await person.encoder.getEncode({ id: encodeId })).encode).toMatchObject({ state: EncodeState.PROBING });
    quota.away = false;
    await encodeOne(encoder.worker);
    await waitForState(person, encodeId, EncodeState.SUCCEEDED);
    expect(quota.reservations.get(encodeId)).toMatchObject({ userId: person.id });
  });

  it("settles and releases when the user service is back", async () => {
    const { quota, encoder } = installation;
    const person = encoder.person();
    const { encodeId: done } = await startOne(person);
    await probe(encoder.worker);
    await waitForState(person, done, EncodeState.PLANNED);
    quota.away = true;
    await encodeOne(encoder.worker);
    await waitForState(person, done, EncodeState.SUCCEEDED);
    const { encodeId: cancelled } = await startOne(person);
    await probe(encoder.worker);
    await person.encoder.cancelEncode({ id: cancelled });
    expect(quota.reservations.get(done)?.state).toBe("reserved");
    quota.away = false;
    await expect.poll(() => quota.reservations.get(done)?.state, soon).toBe("settled");
    expect(quota.reservations.get(cancelled)).toBeUndefined();
  });

  it("gives back what it reserved for an encode that is cancelled in that moment", async () => {
    const { quota, encoder, database } = installation;
    const person = encoder.person();
    const { encodeId } = await startOne(person);
    quota.away = true;
    await probe(encoder.worker);
    await expect.poll(() => quota.missedCalls, soon).toBeGreaterThan(0);
    // The reservation had arrived though its answer was lost, and the cancellation came without its release.
    quota.reservations.set(encodeId, { userId: person.id, seconds: 10, state: "reserved" });
    await database.pool.query("UPDATE encodes SET state = 'cancelled' WHERE id = $1", [encodeId]);
    quota.away = false;
    await expect.poll(() => quota.reservations.get(encodeId)?.state, soon).toBe("released");
    expect(must((await person.encoder.getEncode({ id: encodeId })).encode).state).toBe(EncodeState.CANCELLED);
  });
});
