import { Code } from "@connectrpc/connect";
import type { VideoStatus } from "@kinora/player";
import { EncodeState } from "@kinora/proto-encoder";
import { beforeEach, describe, expect, it } from "vitest";
import { createDb } from "./store/db.ts";
import { listForsaken } from "./store/forsaken.store.ts";
import {
  encodeOne,
  kinds,
  lease,
  must,
  type Person,
  probe,
  soon,
  uploadVideo,
  waitForState,
  work,
} from "./testing/harness.ts";
import { useEncoder } from "./testing/use-encoder.ts";

const installation = useEncoder(undefined, { gpuPatienceSeconds: 1 });
/** Stands for a worker with a GPU: none is at hand. */
const fakeGpu = { workerId: "gpu", encoders: ["nvenc"], kinds, slots: 2 };

// Tasks that an earlier test left in the queue would be leased by the next one.
beforeEach(async () => {
  await installation.database.pool.query("DELETE FROM videos");
});

/** The GPU's worker has just been here, and will be for a day; or it is gone for good. */
async function gpuIsThere(there: boolean): Promise<void> {
  await installation.database.pool.query(
    `INSERT INTO workers (id, slots, cores, memory_bytes, encoders, seen_at) VALUES ('gpu', 2, 2, 0, '{nvenc}', $1::timestamptz)
     ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at`,
    [there ? new Date(Date.now() + 86_400_000) : "-infinity"],
  );
}

async function start(person: Person, encoder?: string) {
  const videoId = await uploadVideo(person);
  const settings = { segmentSeconds: 4, ...(encoder && { encoder }) };
  const encodeId = must((await person.encoder.startEncode({ videoId, settings })).encode).id;
  await probe(installation.encoder.worker);
  return { videoId, encodeId };
}

const detailsOf = async (person: Person, id: string) => must((await person.encoder.getEncode({ id })).encode);
const familiesOf = async (person: Person, id: string) =>
  new Set((await detailsOf(person, id)).plan?.video?.renditions.map((one) => one.encoder));

/** Does what there is for a worker that has no encoder. */
async function doLightWork(): Promise<void> {
  const { worker } = installation.encoder;
  for (;;) {
    const wait = { seconds: 1n, nanos: 0 };
    const { task } = await worker.leaseTask({ workerId: "light", encoders: [], kinds, wait });
    if (task === undefined) return;
    await work(worker, task);
  }
}

describe("an encode whose GPU workers are gone for good (fakes: no GPU is at hand)", () => {
  it("begins anew on the CPU, with nothing left of what was made and its quota reserved once", async () => {
    const { worker, ...encoder } = installation.encoder;
    const { database, quota } = installation;
    const person = encoder.person();
    await gpuIsThere(true);
    const { videoId, encodeId } = await start(person);
    await doLightWork();
    expect(await familiesOf(person, encodeId)).toEqual(new Set(["nvenc"]));
    const chunk = must((await worker.leaseTask({ ...fakeGpu, wait: { seconds: 15n, nanos: 0 } })).task);
    expect(chunk.work.case).toBe("encodeChunk");
    await work(worker, chunk);
    const master = () => fetch(`${encoder.url}/videos/${videoId}/master.m3u8`);
    await expect.poll(async () => (await master()).status, soon).toBe(200);
    const status = async () =>
      (await (await fetch(`${encoder.url}/videos/${videoId}/status.json`)).json()) as VideoStatus;
    const first = await status();
    expect([first.stream, Date.parse(first.streamSince)]).toEqual([encodeId, expect.any(Number)]);
    const segment = async (path: string) =>
      (await fetch(`${encoder.url}/videos/${videoId}/${encodeId}/${path}`)).status;
    expect([await segment("360p/init.mp4"), await segment("2/360p/init.mp4")]).toEqual([200, 404]);
    const before = await database.pool.query<{ id: string }>("SELECT id FROM tasks WHERE kind <> 'probe'");
    const reserved = [...quota.reservations.keys()];

    await gpuIsThere(false);
    await expect.poll(async () => (await detailsOf(person, encodeId)).notice, soon).toContain("no worker with nvenc");
    await encodeOne(worker);
    const encode = await waitForState(person, encodeId, EncodeState.SUCCEEDED);
    expect(await familiesOf(person, encodeId)).toEqual(new Set(["cpu"]));
    expect(encode).toMatchObject({ error: "", notice: expect.stringContaining("Begun anew on the CPU") });
    expect(await (await master()).text()).toContain(`\n${encodeId}/2/360p/playlist.m3u8`);
    // A player that holds the old address of a playlist finds the new one, and gets no new file for an old one.
    expect([await segment("360p/init.mp4"), await segment("2/360p/init.mp4")]).toEqual([404, 200]);
    const moved = await fetch(`${encoder.url}/videos/${videoId}/${encodeId}/360p/playlist.m3u8`);
    expect(moved).toMatchObject({ status: 200, redirected: true });
    expect(moved.url).toBe(`${encoder.url}/videos/${videoId}/${encodeId}/2/360p/playlist.m3u8`);
    expect(await segment("2/360p/1.m4s")).toBe(200);
    expect(await segment("2/poster.jpg")).toBe(404);
    expect(await segment("poster.jpg")).toBe(200);
    // By this a page knows that what plays in it is another stream.
    await expect.poll(async () => (await status()).state, soon).toBe("ready");
    const second = await status();
    expect(second.stream).toBe(encodeId);
    expect(Date.parse(second.streamSince)).toBeGreaterThan(Date.parse(first.streamSince));
    const { rows } = await database.pool.query<{ id: string }>("SELECT id FROM tasks");
    const now = new Set(rows.map((row) => row.id));
    expect(before.rows.filter((row) => now.has(row.id))).toEqual([]);
    await expect.poll(() => quota.reservations.get(encodeId)?.state, soon).toBe("settled");
    expect([...quota.reservations.keys()]).toEqual(reserved);
  });

  it("can't be played until there is a beginning again", async () => {
    const { worker, ...encoder } = installation.encoder;
    const person = encoder.person();
    await gpuIsThere(true);
    const { videoId, encodeId } = await start(person);
    await doLightWork();
    await work(worker, must((await worker.leaseTask({ ...fakeGpu, wait: { seconds: 15n, nanos: 0 } })).task));
    await gpuIsThere(false);
    await expect.poll(async () => (await detailsOf(person, encodeId)).notice, soon).not.toBe("");
    expect((await fetch(`${encoder.url}/videos/${videoId}/${encodeId}/master.m3u8`)).status).toBe(404);
    expect((await fetch(`${encoder.url}/videos/${videoId}/master.m3u8`)).status).toBe(404);
    expect((await detailsOf(person, encodeId)).playback).toBeUndefined();
    await person.encoder.cancelEncode({ id: encodeId });
  });

  it("takes nothing more of its first plan", async () => {
    const { worker, ...encoder } = installation.encoder;
    const person = encoder.person();
    await gpuIsThere(true);
    const { encodeId } = await start(person);
    const late = await lease(worker, "light");
    expect(late.work.case).toBe("audio");
    await doLightWork();
    await gpuIsThere(false);
    await expect.poll(async () => (await detailsOf(person, encodeId)).notice, soon).not.toBe("");
    await expect(work(worker, late)).rejects.toMatchObject({ code: Code.Aborted });
    await person.encoder.cancelEncode({ id: encodeId });
  });

  it("waits for one if its settings name the family, and says so", async () => {
    const { encoder, database } = installation;
    const person = encoder.person();
    await gpuIsThere(true);
    const asked = await start(person, "nvenc");
    await doLightWork();
    const left = await start(person);
    await doLightWork();
    await gpuIsThere(false);
    await expect.poll(async () => (await detailsOf(person, left.encodeId)).notice, soon).not.toBe("");
    const encode = await detailsOf(person, asked.encodeId);
    expect(encode.notice).toBe("");
    expect(encode.progress?.waiting.join()).toContain("for a worker with encode.nvenc");
    await database.pool.query("DELETE FROM videos");
  });

  it("waits while nobody is there who could do it on a CPU", async () => {
    const { encoder, database } = installation;
    const person = encoder.person();
    await gpuIsThere(true);
    const { encodeId } = await start(person);
    await doLightWork();
    await database.pool.query("UPDATE workers SET seen_at = '-infinity'");
    expect(await listForsaken(createDb(database.pool), 1, 1)).toEqual([]);
    await database.pool.query("UPDATE encodes SET created_at = now() - interval '1 minute'");
    const waiting = async () => (await detailsOf(person, encodeId)).progress?.waiting.join("\n");
    expect(await waiting()).toContain("but there is no worker at all: start one");
    await database.pool.query("UPDATE workers SET seen_at = now(), encoders = '{qsv}' WHERE id = 'light'");
    expect(await waiting()).toContain("start one, or one with a CPU (the workers that are there have qsv)");
    await database.pool.query("UPDATE workers SET seen_at = now() + interval '1 day' WHERE id = 'fleet'");
    await expect.poll(async () => (await detailsOf(person, encodeId)).notice, soon).not.toBe("");
  });
});
