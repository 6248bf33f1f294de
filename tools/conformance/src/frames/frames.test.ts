import { PassThrough } from "node:stream";
import { buffer } from "node:stream/consumers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { frame, longestFrame, readFrames, writeFrame } from "./frames.ts";

async function* cut(bytes: Uint8Array, sizes: readonly number[]) {
  let at = 0;
  for (const size of sizes) {
    yield bytes.subarray(at, at + size);
    at += size;
  }
  yield bytes.subarray(at);
}

async function read(chunks: AsyncIterable<Uint8Array>): Promise<number[][]> {
  const messages: number[][] = [];
  for await (const message of readFrames(chunks)) {
    messages.push([...message]);
  }
  return messages;
}

describe("frames", () => {
  it("come back as they were, however the bytes are cut", async () => {
    const message = fc.uint8Array({ maxLength: 300 });
    await fc.assert(
      fc.asyncProperty(fc.array(message), fc.array(fc.nat({ max: 20 })), async (messages, sizes) => {
        const bytes = Buffer.concat(messages.map(frame));
        expect(await read(cut(bytes, sizes))).toEqual(messages.map((bytes) => [...bytes]));
      }),
    );
  });

  it("start with four bytes of length, big-endian", () => {
    expect([...frame(new Uint8Array(258).fill(7))].slice(0, 6)).toEqual([0, 0, 1, 2, 7, 7]);
  });

  it("that end too early are an error, wherever that is", async () => {
    const bytes = frame(new Uint8Array(9));
    for (let length = 1; length < bytes.length; length++) {
      await expect(read(cut(bytes.subarray(0, length), []))).rejects.toThrow("ended within a frame");
    }
  });

  it("of a length that nobody sends are an error before their bytes have come", async () => {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(longestFrame + 1);
    await expect(read(cut(head, []))).rejects.toThrow("too long");
  });

  it("are written whole", async () => {
    const output = new PassThrough();
    await writeFrame(output, new Uint8Array([1, 2]));
    await writeFrame(output, new Uint8Array([]));
    output.end();
    expect([...(await buffer(output))]).toEqual([0, 0, 0, 2, 1, 2, 0, 0, 0, 0]);
  });

  it("that nobody reads reject", async () => {
    const output = new PassThrough().destroy();
    output.on("error", () => {});
    await expect(writeFrame(output, new Uint8Array([1]))).rejects.toThrow();
  });
});
