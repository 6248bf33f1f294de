import { Code } from "@connectrpc/connect";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createEnvelopeQueue } from "./envelope-queue.ts";

function envelope(flags: number, message: Uint8Array): Uint8Array {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt8(flags);
  prefix.writeUInt32BE(message.byteLength, 1);
  return Buffer.concat([prefix, message]);
}

describe("an envelope queue", () => {
  it("gives back what went in, however it was cut", () => {
    const messages = fc.array(fc.tuple(fc.nat(255), fc.uint8Array({ maxLength: 40 })), { maxLength: 8 });
    const cuts = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 });
    fc.assert(
      fc.property(messages, cuts, (sent, sizes) => {
        const wire = Buffer.concat(sent.map(([flags, message]) => envelope(flags, message)));
        const queue = createEnvelopeQueue(40);
        const received: [number, number[]][] = [];
        for (let at = 0, round = 0; at < wire.byteLength; round++) {
          const end = at + (sizes[round % sizes.length] ?? 1);
          queue.push(wire.subarray(at, end));
          at = end;
          for (let ready = queue.ready(); ready; ready = queue.ready()) {
            const taken = queue.take();
            received.push([taken?.flags ?? -1, [...(taken?.bytes ?? [])]]);
          }
          expect(queue.take()).toBeUndefined();
        }
        expect(received).toEqual(sent.map(([flags, message]) => [flags, [...message]]));
        expect(queue.bytes).toBe(0);
      }),
    );
  });

  it("gives messages that are no Buffers and hold on to no more than themselves", () => {
    const queue = createEnvelopeQueue(1_000_000);
    const chunk = envelope(0, new Uint8Array(100_000).fill(7));
    queue.push(chunk);
    const bytes = queue.take()?.bytes;
    expect(Buffer.isBuffer(bytes)).toBe(false);
    expect(bytes).toEqual(new Uint8Array(100_000).fill(7));
    queue.push(envelope(0, new Uint8Array([1, 2, 3])));
    expect(queue.take()?.bytes).toEqual(new Uint8Array([1, 2, 3]));
  });

  it("refuses a message by its prefix alone", () => {
    const queue = createEnvelopeQueue(10);
    queue.push(new Uint8Array([0, 255, 255, 255]));
    expect(queue.take()).toBeUndefined();
    queue.push(new Uint8Array([255]));
    expect(() => queue.take()).toThrow(expect.objectContaining({ code: Code.ResourceExhausted }));
  });
});
