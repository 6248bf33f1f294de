import fc from "fast-check";
import { expect, it } from "vitest";
import { ConnectionFault } from "./errors.ts";
import { frameHeadBytes, maxPayloadBytes, writeFrameHead } from "./frame.ts";
import { FrameReader } from "./frame-reader.ts";

type Seen = { type: number; flags: number; stream: number; payload: string };

function frameOf({ type, flags, stream, payload }: Seen): Buffer {
  const bytes = Buffer.from(payload, "hex");
  const head = Buffer.alloc(frameHeadBytes);
  writeFrameHead(head, 0, bytes.length, type, flags, stream);
  return Buffer.concat([head, bytes]);
}

const frames = fc.array(
  fc.record({
    type: fc.nat({ max: 255 }),
    flags: fc.nat({ max: 255 }),
    stream: fc.nat({ max: 2 ** 31 - 1 }),
    payload: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString("hex")),
  }),
  { maxLength: 20 },
);

it("finds the same frames however they are cut", () => {
  fc.assert(
    fc.property(frames, fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }), (sent, cuts) => {
      const seen: Seen[] = [];
      const reader = new FrameReader((type, flags, stream, from, start, end) => {
        seen.push({ type, flags, stream, payload: from.toString("hex", start, end) });
        return true;
      });
      const bytes = Buffer.concat(sent.map(frameOf));
      for (let at = 0, i = 0; at < bytes.length; i++) {
        const next = at + (cuts[i % cuts.length] ?? 1);
        reader.read(bytes.subarray(at, next), 0);
        at = next;
      }
      expect(seen).toEqual(sent);
    }),
  );
});

it("reads no further when it is told so", () => {
  let count = 0;
  const reader = new FrameReader(() => ++count < 2);
  const one = frameOf({ type: 0, flags: 0, stream: 1, payload: "" });
  reader.read(Buffer.concat([one, one, one]), 0);
  expect(count).toBe(2);
});

it("refuses a frame that is too large before it is here", () => {
  const reader = new FrameReader(() => true);
  const head = Buffer.alloc(frameHeadBytes);
  writeFrameHead(head, 0, maxPayloadBytes + 1, 0, 0, 1);
  expect(() => reader.read(head, 0)).toThrow(ConnectionFault);
});
