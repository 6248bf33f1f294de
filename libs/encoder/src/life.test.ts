import { Code } from "@connectrpc/connect";
import { Directive, type Encode, EncodeState, type Task, VideoState } from "@kinora/proto-encoder";
import { describe, expect, it } from "vitest";
import {
  encodeOne,
  lease,
  leaseEncode,
  makeAndUpload,
  must,
  type Person,
  patchUpload,
  probe,
  soon,
  startEncoder,
  startOne,
  uploadVideo,
  waitForState,
} from "./testing/harness.ts";
import { media } from "./testing/media.ts";
import { useEncoder } from "./testing/use-encoder.ts";

const installation = useEncoder();

/** Every state that a watch shows, in order. */
async function watch(person: Person, id: string): Promise<Encode[]> {
  const states: Encode[] = [];
  for await (const { encode } of person.encoder.watchEncode({ id })) states.push(must(encode));
  return states;
}

/** The same, once the first state is here: what is done next comes after it. */
async function beginToWatch(person: Person, id: string): Promise<{ rest: Promise<Encode[]> }> {
  const answers = person.encoder.watchEncode({ id })[Symbol.asyncIterator]();
  const first = must((await answers.next()).value?.encode);
  const rest = async () => {
    const states = [first];
    for (let next = await answers.next(); !next.done; next = await answers.next()) states.push(must(next.value.encode));
    return states;
  };
  return { rest: rest() };
}

describe("the life of a video", () => {
  it("goes from its announcement over the upload to playback", async () => {
    const { encoder, quota } = installation;
    const person = encoder.person();

    const announced = await person.encoder.createVideo({ name: "a.mp4", sizeBytes: 12n });
    const { id: videoId } = must(announced.video);
    expect(announced).toMatchObject({
      video: { name: "a.mp4", sizeBytes: 12n, uploadedBytes: 0n, state: VideoState.UPLOADING },
      uploadUrl: `${encoder.url}/uploads/${videoId}`,
    });
    await expect(person.encoder.startEncode({ videoId })).rejects.toMatchObject({ code: Code.FailedPrecondition });
    await patchUpload(announced.uploadUrl, person.token, 0, Buffer.from("source"));
    expect(await person.encoder.getVideo({ id: videoId })).toMatchObject({
      video: { uploadedBytes: 6n, state: VideoState.UPLOADING },
      uploadUrl: announced.uploadUrl,
    });
    await patchUpload(announced.uploadUrl, person.token, 6, Buffer.from(" bytes"));
    expect(await person.encoder.getVideo({ id: videoId })).toMatchObject({
      video: { uploadedBytes: 12n, state: VideoState.UPLOADED },
      uploadUrl: "",
    });

    const started = must((await person.encoder.startEncode({ videoId })).encode);
    const encodeId = started.id;
    expect(started).toMatchObject({ videoId, state: EncodeState.QUEUED, attempt: 0, progress: { fraction: 0 } });
    expect((await person.encoder.startEncode({ videoId })).encode?.id).toBe(encodeId);
    const watched = await beginToWatch(person, encodeId);

    const toProbe = await lease(encoder.worker);
    expect(toProbe).toMatchObject({ encodeId, sourceBytes: 12n, lease: { attempt: 1 }, work: { case: "probe" } });
    const source = await fetch(toProbe.sourceUrl, { headers: { range: "bytes=7-" } });
    expect([source.status, await source.text()]).toEqual([206, "bytes"]);
    expect((await person.encoder.getEncode({ id: encodeId })).encode).toMatchObject({
      state: EncodeState.PROBING,
      attempt: 1,
    });
    const found = { lease: must(toProbe.lease), result: { case: "probe", value: media } } as const;
    await encoder.worker.completeTask(found);
    await encoder.worker.completeTask(found); // its answer may have been lost

    const toEncode = await leaseEncode(encoder.worker);
    expect(quota.reservations.get(encodeId)).toEqual({ userId: person.id, seconds: 10, state: "reserved" });
    const beat = await encoder.worker.heartbeat({
      lease: must(toEncode.lease),
      frames: 120n,
      fraction: 0.5,
      speed: 2,
    });
    expect(beat.directive).toBe(Directive.CONTINUE);
    const underWay = must((await person.encoder.getEncode({ id: encodeId })).encode);
    expect(underWay).toMatchObject({
      state: EncodeState.ENCODING,
      media: { durationSeconds: 10 },
      progress: {
        frames: 120n,
        speed: 2,
        chunks: 3,
        chunksDone: 0,
        runningTasks: 1,
        waiting: ["2 chunks wait for a worker with encode.cpu"],
      },
    });
    expect(underWay.plan?.video?.renditions.map(({ name }) => name)).toEqual(["360p", "240p"]);
    expect(underWay.playback).toBeUndefined();

    const { result } = await makeAndUpload(encoder.worker, toEncode);
    const finished = { lease: must(toEncode.lease), result } as const;
    await encoder.worker.completeTask(finished);
    await encoder.worker.completeTask(finished);
    expect((await encoder.worker.heartbeat({ lease: must(toEncode.lease) })).directive).toBe(Directive.CONTINUE);
    await encodeOne(encoder.worker);

    const states = await watched.rest;
    expect(states[0]).toMatchObject({ state: EncodeState.QUEUED });
    expect(states.every((state) => state.id === encodeId)).toBe(true);
    const order = states.map(({ state }) => state);
    const rank = [0, 1, 2, 3, 4, 6, 7, 8, 5]; // verifying has the highest number, but comes before the end
    expect(order).toEqual(order.toSorted((a, b) => Number(rank[a]) - Number(rank[b])));
    expect(states.slice(0, -1).every((state) => !state.media && !state.plan && !state.result)).toBe(true);
    expect(states.at(-1)).toMatchObject({
      state: EncodeState.SUCCEEDED,
      progress: { fraction: 1, frames: 240n },
      error: "",
      result: { poster: "poster.jpg" },
      playback: {
        hlsUrl: `${encoder.url}/videos/${videoId}/master.m3u8`,
        posterUrl: `${encoder.url}/videos/${videoId}/poster.jpg`,
        streamUrl: `${encoder.url}/videos/${videoId}/${encodeId}`,
        pageUrl: `${encoder.url}/videos/${videoId}`,
      },
    });
    expect(states.at(-1)?.finishTime).toBeDefined();
    expect((await person.encoder.getVideo({ id: videoId })).video).toMatchObject({
      latestEncode: { id: encodeId, state: EncodeState.SUCCEEDED },
      playback: { dashUrl: `${encoder.url}/videos/${videoId}/manifest.mpd` },
    });
    expect((await fetch(`${encoder.url}/videos/${videoId}/master.m3u8`)).status).toBe(200);
    await expect
      .poll(() => quota.reservations.get(encodeId), soon)
      .toMatchObject({ state: "settled", seconds: expect.closeTo(10, 1) });
  });

  it("may be encoded again, and then plays the new stream while the old one stays", async () => {
    const { encoder } = installation;
    const person = encoder.person();
    const { videoId, encodeId: first } = await startOne(person);
    await probe(encoder.worker);
    await encodeOne(encoder.worker);
    const { encode } = await person.encoder.startEncode({ videoId });
    const second = must(encode).id;
    expect(second).not.toBe(first);
    await probe(encoder.worker);
    await encodeOne(encoder.worker);
    await waitForState(person, second, EncodeState.SUCCEEDED);
    const urlOf = async (id: string) => (await person.encoder.getEncode({ id })).encode?.playback?.hlsUrl;
    expect(await urlOf(second)).toBe(`${encoder.url}/videos/${videoId}/master.m3u8`);
    expect(await urlOf(first)).toBe(`${encoder.url}/videos/${videoId}/${first}/master.m3u8`);
    expect(await (await fetch(must(await urlOf(second)))).text()).toContain(`${second}/360p/playlist.m3u8`);
    expect((await fetch(must(await urlOf(first)))).status).toBe(200);

    await person.encoder.deleteEncode({ id: second });
    expect(await urlOf(first)).toBe(`${encoder.url}/videos/${videoId}/master.m3u8`);
    expect(await (await fetch(must(await urlOf(first)))).text()).toContain(`${first}/360p/playlist.m3u8`);
  });

  it("of an empty file ends with the sentence of whoever looked at it", async () => {
    const { encoder } = installation;
    const person = encoder.person();
    const videoId = await uploadVideo(person, "");
    expect((await person.encoder.getVideo({ id: videoId })).video?.state).toBe(VideoState.UPLOADED);
    const encodeId = must((await person.encoder.startEncode({ videoId })).encode).id;
    const task = await lease(encoder.worker);
    expect(task.sourceBytes).toBe(0n);
    expect((await fetch(task.sourceUrl)).status).toBe(200);
    await encoder.worker.failTask({ lease: must(task.lease), kind: 1, message: "The file is empty." });
    expect(await waitForState(person, encodeId, EncodeState.FAILED)).toMatchObject({ error: "The file is empty." });
  });
});

describe("watching", () => {
  it("shows a finished encode once, whole, and ends", async () => {
    const { encoder } = installation;
    const person = encoder.person();
    const { encodeId } = await startOne(person);
    await person.encoder.cancelEncode({ id: encodeId });
    expect(await watch(person, encodeId)).toMatchObject([{ state: EncodeState.CANCELLED }]);
  });

  it("says once a second how far an encode is, also while nothing happens to it", async () => {
    const person = installation.encoder.person();
    const { encodeId } = await startOne(person);
    const times: number[] = [];
    for await (const { encode } of person.encoder.watchEncode({ id: encodeId })) {
      expect(must(encode).progress?.waiting).toEqual([expect.stringContaining("waits for a worker with media.light")]);
      times.push(performance.now());
      if (times.length === 5) break;
    }
    // The last three have nothing new to tell. A busy machine is late, but not by this much.
    expect(must(times[4]) - must(times[1])).toBeLessThan(10_000);
    await person.encoder.cancelEncode({ id: encodeId });
  });

  it("tells speed and time left of each rendition, and counts a chunk that drains beside the next one once", async () => {
    const { encoder } = installation;
    const { worker } = encoder;
    const person = encoder.person();
    const { encodeId } = await startOne(person, 4);
    await probe(worker);
    const draining = await leaseEncode(worker, "one slot");
    const beat = (task: Task, fraction: number) =>
      worker.heartbeat({ lease: must(task.lease), frames: 50n, fraction, speed: 2 });
    await beat(draining, 1);
    await beat(await leaseEncode(worker, "one slot"), 0.5);
    const progressNow = async () => must((await person.encoder.getEncode({ id: encodeId })).encode).progress;
    // Whoever asks for work is noted every other second.
    await expect.poll(progressNow, soon).toMatchObject({ speed: 2, runningTasks: 2 });
    const pictures = must(await progressNow()).tracks.filter(({ name }) => name !== "audio");
    expect(pictures).toMatchObject(["360p", "240p"].map((name) => ({ name, speed: 2 })));
    for (const { fraction, remainingSeconds } of pictures)
      expect(remainingSeconds).toBeCloseTo(((1 - fraction) * 10) / 2);
    await person.encoder.cancelEncode({ id: encodeId });
  });

  it("ends when the encode is deleted, and never shows somebody else's", async () => {
    const { encoder } = installation;
    const person = encoder.person();
    const { encodeId } = await startOne(person);
    await expect(watch(encoder.person(), encodeId)).rejects.toMatchObject({ code: Code.NotFound });
    const watched = watch(person, encodeId);
    watched.catch(() => {});
    await person.encoder.deleteEncode({ id: encodeId });
    await expect(watched).rejects.toMatchObject({ code: Code.NotFound });
  });

  it("tells its clients to come back when the server stops", async () => {
    const { encoder } = installation;
    const person = encoder.person();
    const { encodeId } = await startOne(person);
    const seen: EncodeState[] = [];
    const watched = (async () => {
      for await (const { encode } of person.encoder.watchEncode({ id: encodeId })) seen.push(must(encode).state);
    })();
    watched.catch(() => {});
    await expect.poll(() => seen.length, soon).toBeGreaterThan(0);
    const again = installation.restart();
    await expect(watched).rejects.toMatchObject({ code: Code.Unavailable });
    await again;
    const back = installation.encoder.again(person);
    await back.encoder.cancelEncode({ id: encodeId });
    expect(await watch(back, encodeId)).toMatchObject([{ state: EncodeState.CANCELLED }]);
  });
});

describe("two processes on one database", () => {
  it("share videos, tasks and news", async () => {
    const other = await startEncoder(installation);
    try {
      const { encoder } = installation;
      const person = encoder.person();
      const there = other.again(person);
      const waiting = lease(other.worker, "there");
      const { encodeId } = await startOne(person);
      const watched = watch(there, encodeId);
      const task = await waiting;
      expect(task.encodeId).toBe(encodeId);
      await encoder.worker.heartbeat({ lease: must(task.lease) });
      await encoder.worker.completeTask({ lease: must(task.lease), result: { case: "probe", value: media } });
      await encodeOne(other.worker);
      expect((await watched).at(-1)).toMatchObject({ state: EncodeState.SUCCEEDED });
    } finally {
      await other.close();
    }
  });
});

describe("lists", () => {
  it("come a page at a time, newest first, and show nobody else's", async () => {
    const { encoder } = installation;
    const person = encoder.person();
    const other = encoder.person();
    const ids: string[] = [];
    for (let index = 0; index < 5; index += 1) {
      ids.unshift(await uploadVideo(person));
      await uploadVideo(other);
    }
    const listed: string[] = [];
    let pages = 0;
    for (let pageToken = ""; ; ) {
      const page = await person.encoder.listVideos({ pageSize: 2, pageToken });
      expect(page.videos.length).toBeLessThanOrEqual(2);
      listed.push(...page.videos.map(({ id }) => id));
      pages += 1;
      pageToken = page.nextPageToken;
      if (pageToken === "") break;
    }
    expect([listed, pages]).toEqual([ids, 3]);
    await expect(person.encoder.listVideos({ pageToken: "nonsense" })).rejects.toMatchObject({
      code: Code.InvalidArgument,
    });

    const encodes: string[] = [];
    for (const videoId of ids) encodes.unshift(must((await person.encoder.startEncode({ videoId })).encode).id);
    const all = await person.encoder.listEncodes({});
    expect(all.encodes.map(({ id }) => id)).toEqual(encodes);
    expect(all.nextPageToken).toBe("");
    const first = await person.encoder.listEncodes({ pageSize: 3 });
    const rest = await person.encoder.listEncodes({ pageSize: 3, pageToken: first.nextPageToken });
    expect([...first.encodes, ...rest.encodes].map(({ id }) => id)).toEqual(encodes);
    const ofOne = await person.encoder.listEncodes({ videoId: must(ids[0]) });
    expect(ofOne.encodes.map(({ videoId }) => videoId)).toEqual([ids[0]]);
    expect((await other.encoder.listEncodes({ videoId: must(ids[0]) })).encodes).toEqual([]);
    await installation.encoder.account.deleteAccountData({ userId: person.id });
  });
});
