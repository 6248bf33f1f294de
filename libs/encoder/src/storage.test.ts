import { Code, ConnectError } from "@connectrpc/connect";
import { EncodeState } from "@kinora/proto-encoder";
import { beforeEach, describe, expect, it } from "vitest";
import {
  encodeOne,
  lease,
  must,
  probe,
  soon,
  startEncoder,
  startOne,
  uploadVideo,
  waitForState,
  work,
} from "./testing/harness.ts";
import { frameTable, media } from "./testing/media.ts";
import { useEncoder } from "./testing/use-encoder.ts";

const installation = useEncoder();
const { quota } = installation;
beforeEach(() => {
  Object.assign(quota, {
    away: false,
    limitStorageBytes: Number.POSITIVE_INFINITY,
    limitSeconds: Number.POSITIVE_INFINITY,
  });
});

const source = "source bytes".length;
const itemsOf = (userId: string) => [...quota.storage].filter(([, item]) => item.userId === userId);
const states = (userId: string) =>
  itemsOf(userId)
    .map(([, { state }]) => state)
    .sort();
const changes = async () => (await installation.database.pool.query("SELECT * FROM storage_changes")).rowCount;

describe("storage", () => {
  it("is set aside before a video is sent and a stream is made, counted as it really is, and freed with each", async () => {
    const { encoder } = installation;
    const person = encoder.person();
    const announced = await person.encoder.createVideo({ name: "a.mp4", sizeBytes: 5n });
    expect(quota.storage.get(must(announced.video).id)).toEqual({ userId: person.id, bytes: 5, state: "reserved" });
    await person.encoder.deleteVideo({ id: must(announced.video).id });
    await expect.poll(() => states(person.id), soon).toEqual(["released"]);

    const { videoId, encodeId } = await startOne(person);
    await expect.poll(() => quota.storage.get(videoId), soon).toMatchObject({ bytes: source, state: "stored" });
    await probe(encoder.worker);
    await expect.poll(() => quota.storage.get(encodeId)?.state, soon).toBe("reserved");
    const most = must(quota.storage.get(encodeId)).bytes;
    const { files } = await encodeOne(encoder.worker);
    await waitForState(person, encodeId, EncodeState.SUCCEEDED);
    await expect.poll(() => quota.storage.get(encodeId)?.state, soon).toBe("stored");
    const counted = [...files].filter(([path]) => /\.(?:m4s|jpg|vtt)$/.test(path));
    expect(counted.some(([path]) => path.endsWith("poster.jpg"))).toBe(true);
    const bytes = must(quota.storage.get(encodeId)).bytes;
    expect(bytes).toBe(counted.reduce((sum, [, body]) => sum + body.length, 0));
    expect(most).toBeGreaterThan(0);

    await person.encoder.deleteEncode({ id: encodeId });
    await expect.poll(() => quota.storage.get(encodeId)?.state, soon).toBe("released");
    expect(quota.storage.get(videoId)?.state).toBe("stored");
    await person.encoder.deleteVideo({ id: videoId });
    await expect.poll(() => states(person.id), soon).toEqual(["released", "released", "released"]);
    await expect.poll(changes, soon).toBe(0);
  });

  it("of a video with its streams is freed at once, and that of an encode that came to nothing", async () => {
    const { encoder } = installation;
    const person = encoder.person();
    const first = await startOne(person);
    await encodeOne(encoder.worker);
    await waitForState(person, first.encodeId, EncodeState.SUCCEEDED);
    await expect.poll(() => states(person.id), soon).toEqual(["stored", "stored"]);
    const { encode } = await person.encoder.startEncode({ videoId: first.videoId });
    await probe(encoder.worker);
    await expect.poll(() => quota.storage.get(must(encode).id)?.state, soon).toBe("reserved");
    await person.encoder.cancelEncode({ id: must(encode).id });
    await expect.poll(() => quota.storage.get(must(encode).id)?.state, soon).toBe("released");
    await person.encoder.deleteVideo({ id: first.videoId });
    await expect.poll(() => states(person.id), soon).toEqual(["released", "released", "released"]);
  });

  it("that isn't there is said before anything is sent, and ends an encode with why", async () => {
    const { encoder } = installation;
    const person = encoder.person();
    quota.limitStorageBytes = 20;
    const refused = await person.encoder.createVideo({ name: "a.mp4", sizeBytes: 21n }).catch(ConnectError.from);
    expect(refused).toMatchObject({
      code: Code.ResourceExhausted,
      rawMessage: "This needs more storage than you have.",
    });
    expect((await person.encoder.listVideos({})).videos).toEqual([]);
    const { encodeId } = await startOne(person);
    await probe(encoder.worker);
    const failed = await waitForState(person, encodeId, EncodeState.FAILED);
    expect(failed.error).toBe("This needs more storage than you have.");
    await expect.poll(() => quota.reservations.get(encodeId)?.state, soon).toBe("released");
  });

  it("is told after an outage of the user service, through a restart, and of any number of replicas once", async () => {
    const { encoder } = installation;
    const person = encoder.person();
    quota.away = true;
    const videoId = await uploadVideo(person);
    const gone = await uploadVideo(person);
    await person.encoder.deleteVideo({ id: gone });
    await expect
      .poll(() => encoder.lines.filter((line) => line.includes("can't be told what is stored")).length, soon)
      .toBe(1);
    expect(itemsOf(person.id)).toEqual([]);
    await installation.restart();
    quota.away = false;
    const other = await startEncoder(installation);
    await expect.poll(() => quota.storage.get(videoId)?.state, soon).toBe("stored");
    await expect.poll(() => quota.storage.get(gone)?.state, soon).toBe("released");
    await expect.poll(changes, soon).toBe(0);
    await other.close();
  });
});

describe("a source that is longer than its headers state", () => {
  const short = { ...media, durationSeconds: 0.5 };
  const { num, den } = must(frameTable.timeBase);
  const realSeconds = (Number(frameTable.endPts - frameTable.startPts) * num) / den;

  it("has quota reserved for its real length", async () => {
    expect(realSeconds).toBeGreaterThan(1.5);
    const { encoder } = installation;
    const person = encoder.person();
    const { encodeId } = await startOne(person);
    await probe(encoder.worker, short);
    await expect.poll(() => quota.reservations.get(encodeId)?.seconds, soon).toBe(0.5);
    await analyse();
    await expect.poll(() => quota.reservations.get(encodeId)?.seconds, soon).toBeCloseTo(realSeconds, 3);
    await person.encoder.cancelEncode({ id: encodeId });
  });

  it("fails where there isn't enough, with why, and what it had goes back", async () => {
    const { encoder } = installation;
    const person = encoder.person();
    quota.limitSeconds = 1;
    const { encodeId } = await startOne(person);
    await probe(encoder.worker, short);
    await analyse();
    const failed = await waitForState(person, encodeId, EncodeState.FAILED);
    expect(failed.error).toBe("Your quota of this month is used up.");
    await expect.poll(() => quota.reservations.get(encodeId)?.state, soon).toBe("released");
  });

  /** Does tasks until the source is analysed. */
  async function analyse(): Promise<void> {
    for (;;) {
      const task = await lease(installation.encoder.worker);
      await work(installation.encoder.worker, task);
      if (task.work.case === "analyse") return;
    }
  }
});

it("streams of earlier releases are counted by what their results name", async () => {
  const result = {
    video: [{ segments: [{ bytes: 100 }, { bytes: 50 }] }, { segments: [{ bytes: 7 }] }],
    audio: { segments: [{ bytes: 3 }] },
  };
  const bytes = async (json: object | null) =>
    (await installation.database.pool.query("SELECT stream_bytes($1) AS n", [json && JSON.stringify(json)])).rows[0].n;
  expect(await bytes(result)).toBe("160");
  expect(await bytes({ ...result, audioTracks: [{ segments: [{ bytes: 3 }] }, { segments: [{ bytes: 4 }] }] })).toBe(
    "164",
  );
  expect(await bytes({})).toBe("0");
  expect(await bytes(null)).toBe("0");
});
