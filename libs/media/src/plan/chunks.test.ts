import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ChunkPlan, FrameTable, SceneChange, VideoTrack } from "../types.ts";
import { completeChunks, cutChunks } from "./chunks.ts";
import { lookUpFrames } from "./frame-lookup.ts";
import { headChunks } from "./head-chunks.ts";

const fleet = (slots: number, framesPerSecond = 0) => ({ slots, framesPerSecond, encoders: ["cpu"] });

/** A table of the given runs, in a time base of 1/12800 s. */
function tableOf(runs: [frames: number, delta: number][], more: Partial<FrameTable> = {}): FrameTable {
  const startPts = more.startPts ?? 0n;
  return {
    timeBase: { num: 1, den: 12_800 },
    frameCount: runs.reduce((sum, [frames]) => sum + frames, 0),
    startPts,
    endPts: startPts + runs.reduce((sum, [frames, delta]) => sum + BigInt(frames * delta), 0n),
    runFrames: runs.map(([frames]) => frames),
    runDeltas: runs.map(([, delta]) => BigInt(delta)),
    keyframePts: [startPts],
    sceneChanges: [],
    damage: [],
    ...more,
  };
}

const steady = (frames: number, more: Partial<FrameTable> = {}) => tableOf([[frames, 512]], more); // 25 frames a second

/** Every frame's PTS. */
const allFrames = (table: FrameTable) => {
  const lookup = lookUpFrames(table);
  return Array.from({ length: lookup.count }, (_, frame) => lookup.ptsOf(frame));
};

/** The frames that a worker takes for a chunk, by the contract. */
function taken(chunk: ChunkPlan, frames: readonly bigint[]): bigint[] {
  return frames.filter(
    (pts) => (chunk.index === 0 || pts >= chunk.startPts) && (chunk.endPts === undefined || pts < chunk.endPts),
  );
}

function expectPartition(chunks: ChunkPlan[], table: FrameTable): void {
  const frames = allFrames(table);
  const all = chunks.flatMap((chunk) => taken(chunk, frames));
  expect(all.join()).toBe(frames.join());
  let segment = 1;
  let frame = 0;
  for (const [index, chunk] of chunks.entries()) {
    const own = taken(chunk, frames);
    expect(chunk).toMatchObject({ index, firstSegment: segment, firstFrame: frame, frameCount: own.length });
    expect(chunk.segmentPts[0]).toBe(chunk.startPts);
    // Each segment has a frame of its own to begin with.
    const starts = chunk.segmentPts.map((pts, at) => (at === 0 ? own[0] : own.find((one) => one >= pts)));
    expect(starts).not.toContain(undefined);
    expect(new Set(starts).size).toBe(starts.length);
    expect([...starts].sort((a, b) => Number(BigInt(a ?? 0) - BigInt(b ?? 0)))).toEqual(starts);
    expect(chunk.endPts).toBe(chunks[index + 1]?.startPts);
    if (chunk.seekPts !== undefined) expect(chunk.seekPts <= (own[0] ?? 0n)).toBe(true);
    segment += chunk.segmentPts.length;
    frame += own.length;
  }
}

describe("chunks", () => {
  const anyTable = fc
    .record({
      runs: fc.array(fc.tuple(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 1, max: 60_000 })), {
        minLength: 1,
        maxLength: 8,
      }),
      startPts: fc.bigInt({ min: -10_000n, max: 10n ** 12n }),
      scenes: fc.array(fc.tuple(fc.nat(4000), fc.double({ min: 0, max: 1, noNaN: true })), { maxLength: 30 }),
      keyframes: fc.array(fc.nat(4000), { maxLength: 30 }),
    })
    .map(({ runs, startPts, scenes, keyframes }) => {
      const table = tableOf(runs, { startPts });
      const lookup = lookUpFrames(table);
      const ptsOf = (frame: number) => lookup.ptsOf(frame % lookup.count);
      return {
        ...table,
        sceneChanges: scenes.map(([frame, score]) => ({ pts: ptsOf(frame), score })),
        keyframePts: [...new Set(keyframes.map(ptsOf))].sort((a, b) => (a < b ? -1 : 1)),
      };
    });

  it("have every frame exactly once, whatever the source and the fleet", () => {
    const anyFleet = fc.record({ slots: fc.integer({ min: 1, max: 3000 }), speed: fc.integer({ min: 0, max: 5000 }) });
    fc.assert(
      fc.property(anyTable, anyFleet, fc.integer({ min: 1, max: 10 }), (table, { slots, speed }, segmentSeconds) => {
        const options = { segmentSeconds, fleet: fleet(slots, speed) };
        const chunks = completeChunks([], table, options);
        expectPartition(chunks, table);
        expect(completeChunks([], table, options)).toEqual(chunks);
      }),
      { numRuns: 300 },
    );
  });

  it("follow a head that was cut before the source was known, to the frame", () => {
    const rates = fc.constantFrom([24, 1], [25, 1], [30_000, 1001], [24_000, 1001], [60, 1]);
    fc.assert(
      fc.property(
        rates,
        fc.integer({ min: 1, max: 5000 }),
        fc.constantFrom(1000, 12_800, 90_000),
        fc.constantFrom(1, 2, 9),
        fc.constantFrom(60, 1800),
        (rate, count, den, slots, durationSeconds) => {
          // What a container with this time base makes of a steady rate: time stamps rounded one by one.
          const [num = 25, per = 1] = rate;
          const pts = Array.from({ length: count + 1 }, (_, n) => BigInt(Math.round((n * per * den) / num)));
          const deltas = pts.slice(1).map((end, n) => Number(end - (pts[n] ?? 0n)));
          const table = { ...tableOf(deltas.map((delta) => [1, delta])), timeBase: { num: 1, den } };
          const video = {
            seekable: true,
            variableFrameRate: false,
            timeBase: { num: 1, den },
            startPts: 0n,
          } as VideoTrack;
          const head = headChunks(
            { video, frameRate: { num, den: per }, durationSeconds },
            { segmentSeconds: 4, slots },
          );
          const lengths = head.map(({ segmentPts }) => segmentPts.length);
          const first = slots === 1 ? [1, 2] : [1, 1, 1];
          const further = durationSeconds === 60 ? 0 : slots === 9 ? 16 : 7;
          expect(lengths).toEqual([...first, ...Array(further).fill(2)]);
          const chunks = completeChunks(head, table, { segmentSeconds: 4, fleet: fleet(slots) });
          expectPartition(chunks, table);
          const perSegment = Math.round((4 * num) / per);
          if (count > 4 * perSegment) expect(chunks[0]?.frameCount).toBe(perSegment);
          expect(chunks[1]?.frameCount ?? 0).toBeLessThanOrEqual((slots === 1 ? 2 : 1) * perSegment);
        },
      ),
      { numRuns: 100 },
    );
  });

  it("cover no more than a quarter of a source blindly, however large the fleet", () => {
    const video = {
      seekable: true,
      variableFrameRate: false,
      timeBase: { num: 1, den: 25 },
      startPts: 0n,
    } as VideoTrack;
    const headOf = (durationSeconds: number, slots: number) =>
      headChunks({ video, frameRate: { num: 25, den: 1 }, durationSeconds }, { segmentSeconds: 4, slots });
    expect(headOf(239, 100)).toHaveLength(3);
    expect(headOf(Number.NaN, 100)).toEqual([]);
    for (const durationSeconds of [240, 600, 7200, 86_400]) {
      const sizes = [1, 2, 8, 100, 1000].map((slots) => headOf(durationSeconds, slots).length);
      expect(sizes).toEqual(sizes.toSorted((one, other) => one - other));
      const segments = headOf(durationSeconds, 1000).reduce((sum, { segmentPts }) => sum + segmentPts.length, 0);
      expect(segments * 4).toBeLessThanOrEqual(durationSeconds / 4);
    }
  });

  it("have segments of four seconds, and no scrap at the end", () => {
    const chunks = completeChunks([], steady(1310), { segmentSeconds: 4, fleet: fleet(1) });
    const starts = chunks.flatMap((chunk) => chunk.segmentPts.map((pts) => Number(pts) / 512));
    expect(starts).toEqual(Array.from({ length: 13 }, (_, n) => n * 100)); // the last one has 110 frames
  });

  it("have no scrap at the end wherever scenes change", () => {
    const anyScene = fc.tuple(fc.nat(4999), fc.double({ min: 0, max: 1, noNaN: true }));
    fc.assert(
      fc.property(fc.integer({ min: 26, max: 5000 }), fc.array(anyScene, { maxLength: 60 }), (count, scenes) => {
        const sceneChanges = scenes.map(([frame, score]) => ({ pts: BigInt((frame % count) * 512), score }));
        const chunks = completeChunks([], steady(count, { sceneChanges }), { segmentSeconds: 4, fleet: fleet(8) });
        const lastStart = Number(chunks.at(-1)?.segmentPts.at(-1) ?? 0n) / 512;
        expect(count - lastStart).toBeGreaterThanOrEqual(25); // a quarter of a segment
      }),
      { numRuns: 500 },
    );
  });

  it("get shorter with more workers, and longer with faster ones", () => {
    const longest = (slots: number, speed: number) =>
      Math.max(
        ...completeChunks([], steady(50_000), { segmentSeconds: 4, fleet: fleet(slots, speed) }).map(
          ({ segmentPts }) => segmentPts.length,
        ),
      );
    expect(longest(1, 0)).toBe(8);
    expect(longest(100, 0)).toBe(3);
    expect(longest(1000, 0)).toBe(1);
    expect(longest(1, 3)).toBe(1);
    expect(longest(1, 1000)).toBe(15);
  });

  it("are there before a viewer gets to them who began with the first segment, if one slot is faster than that", () => {
    const anySpeed = fc.double({ min: 1.01, max: 40, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20_000 }), anySpeed, fc.constantFrom(1, 2, 6), (count, speed, seconds) => {
        const options = { segmentSeconds: seconds, fleet: fleet(1, 25 * speed) };
        const chunks = completeChunks([], steady(count), options);
        const begin = (chunks[0]?.frameCount ?? 0) / 25 / speed;
        let doneAt = 0;
        for (const { firstFrame, frameCount } of chunks) {
          doneAt += frameCount / 25 / speed;
          // A last segment may be a quarter longer, and each is whole frames.
          expect(doneAt - seconds / 4 - 0.08).toBeLessThanOrEqual(begin + firstFrame / 25 + 1e-6);
        }
      }),
    );
  });

  it("grow no faster than a viewer gets to them, with slots that are each slower than that", () => {
    const lengths = (speed: number) =>
      completeChunks([], steady(2500), { segmentSeconds: 4, fleet: fleet(2, 25 * speed) }).map(
        ({ segmentPts }) => segmentPts.length,
      );
    expect(lengths(0.9)).toEqual([1, 1, 1, 1, 2, 2, 3, 4, 3, 3, 2, 1, 1]);
    expect(lengths(0.4)).toEqual([1, 3, 3, 3, 3, 3, 3, 2, 2, 1, 1]); // nobody can watch that as it is made
  });

  it("get shorter towards the end, so that slots end together", () => {
    const lengths = (slots: number) =>
      completeChunks([], steady(1300), { segmentSeconds: 4, fleet: fleet(slots) }).map(
        (chunk) => chunk.segmentPts.length,
      );
    expect(lengths(2)).toEqual([1, 2, 3, 3, 2, 1, 1]); // the first ones are short, so that the stream begins early
    expect(lengths(1)).toEqual([1, 2, 5, 5]); // a slot alone has nobody to wait for
  });

  it("begin with a scene where one is near", () => {
    const sceneChanges = [
      { pts: 512n * 912n, score: 0.9 },
      { pts: 512n * 1550n, score: 0.9 },
    ];
    const chunks = completeChunks([], steady(5000, { sceneChanges }), { segmentSeconds: 4, fleet: fleet(1) });
    expect(chunks[3]).toMatchObject({ startPts: 512n * 912n, sceneChange: true });
    expect(chunks[4]).toMatchObject({ startPts: 512n * 1612n, sceneChange: false });
  });

  it("begin with the nearest key frame where no scene is near, so that nothing is decoded before them", () => {
    const keyframePts = [0, 290, 315, 890, 1650].map((frame) => BigInt(512 * frame));
    const table = steady(5000, { keyframePts });
    const [, , second, third, fourth] = completeChunks([], table, { segmentSeconds: 4, fleet: fleet(1) });
    expect(second).toMatchObject({ startPts: 512n * 290n, seekPts: 512n * 290n, sceneChange: false });
    expect(third).toMatchObject({ startPts: 512n * 890n, seekPts: 512n * 890n });
    expect(fourth).toMatchObject({ startPts: 512n * 1590n, seekPts: 512n * 890n }); // the next is too far away
    const sceneChanges = [{ pts: 512n * 305n, score: 0.2 }];
    const withScene = completeChunks([], { ...table, sceneChanges }, { segmentSeconds: 4, fleet: fleet(1) });
    expect(withScene[2]).toMatchObject({ startPts: 512n * 305n, seekPts: 512n * 290n, sceneChange: true });
  });

  it("are the same whether scenes are known or told one by one, where they are asked for", () => {
    const anyScenes = fc.array(fc.tuple(fc.nat(4000), fc.double({ min: 0, max: 1, noNaN: true })), { maxLength: 60 });
    fc.assert(
      fc.property(anyTable, anyScenes, fc.integer({ min: 1, max: 40 }), (table, answers, slots) => {
        const options = { segmentSeconds: 2, fleet: fleet(slots) };
        const told: SceneChange[] = [];
        const cuts = cutChunks([], table, options);
        let cut = cuts.next();
        let before = -(10n ** 18n);
        while (!cut.done) {
          const { pts, slack } = cut.value;
          // Windows never overlap.
          expect(pts - slack > before).toBe(true);
          before = pts + slack;
          const [[offset, score] = [0, 0]] = answers.splice(0, 1);
          const scene = { pts: pts - slack + (BigInt(offset) * 2n * slack) / 4000n, score };
          if (offset > 0) told.push(scene);
          cut = cuts.next(offset > 0 ? scene.pts : undefined);
        }
        expect(completeChunks([], { ...table, sceneChanges: told.toReversed() }, options)).toEqual(cut.value);
      }),
      { numRuns: 300 },
    );
  });

  it("are one where parts can't be found by their time", () => {
    const chunks = completeChunks([], steady(1000), { segmentSeconds: 4, fleet: fleet(8), whole: true });
    expect(chunks).toHaveLength(1);
    expect(chunks[0]?.segmentPts).toHaveLength(10);
  });

  it("don't begin where a recording's clock has started again", () => {
    const lastCutPts = 512n * 1250n;
    const chunks = completeChunks([], steady(5000, { lastCutPts }), { segmentSeconds: 4, fleet: fleet(1) });
    expect(chunks.map((chunk) => chunk.firstFrame)).toEqual([0, 100, 300, 900]);
    expect(chunks[3]?.frameCount).toBe(4100);
  });

  it("can't be made of a table that contradicts itself", () => {
    const options = { segmentSeconds: 4, fleet: fleet(1) };
    expect(() => completeChunks([], { ...steady(100), frameCount: 99 }, options)).toThrow(RangeError);
    expect(() => completeChunks([], tableOf([[10, 0]]), options)).toThrow(RangeError);
    expect(() => completeChunks([], { ...steady(100), runDeltas: [] }, options)).toThrow(RangeError);
  });
});
