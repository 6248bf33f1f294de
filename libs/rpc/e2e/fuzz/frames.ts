import { countPath, echoPath } from "../../src/testing/hostile-client.ts";
import { flag, frame, frameType, headerBlock, preface, settings, uint32 } from "../../src/testing/http2-frames.ts";
import { requestFields } from "./headers.ts";
import { body } from "./messages.ts";
import { mutate } from "./mutate.ts";
import type { Random } from "./random.ts";

/** All that a client sends on one connection: calls, what goes along with them, and damage. */
export function connectionBytes(random: Random): Buffer {
  const frames: Buffer[] = [];
  if (random.chance(0.97)) {
    frames.push(frame(frameType.settings, 0, 0, settings(...settingsEntries(random))));
  }
  const calls = random.int(1, 6);
  for (let i = 0; i < calls; i++) {
    const stream = random.chance(0.95) ? 2 * i + 1 : random.pick([0, 2, 1, 2 ** 31 - 1, 999]);
    frames.push(...callFrames(stream, random));
    if (random.chance(0.3)) {
      frames.push(otherFrame(stream, random));
    }
  }
  if (random.chance(0.2)) {
    shuffle(frames, random);
  }
  const bytes = Buffer.concat([preface, ...frames.map((each) => (random.chance(0.97) ? each : mutate(each, random)))]);
  return random.chance(0.95) ? bytes : mutate(bytes, random);
}

function callFrames(stream: number, random: Random): Buffer[] {
  const fields = requestFields(random);
  const type = fields.find(([name]) => name === "content-type")?.[1] ?? "";
  const block = random.chance(0.97) ? headerBlock(fields) : mutate(headerBlock(fields), random);
  const frames: Buffer[] = [];
  const data = body(type, random);
  const alone = random.chance(0.05) ? flag.endStream : 0;
  if (block.length > 16_000 || random.chance(0.1)) {
    const at = random.int(0, Math.min(block.length, 16_000));
    frames.push(frame(frameType.headers, alone, stream, block.subarray(0, at)));
    for (let from = at; from < block.length || from === at; from += 16_000) {
      const last = from + 16_000 >= block.length;
      frames.push(
        frame(frameType.continuation, last ? flag.endHeaders : 0, stream, block.subarray(from, from + 16_000)),
      );
    }
  } else {
    frames.push(frame(frameType.headers, flag.endHeaders | alone, stream, block));
  }
  if (alone === 0) {
    const ends = random.chance(0.9);
    for (let from = 0; from < data.length || from === 0; ) {
      const size = random.pick([1, 5, 100, 16_000, 16_000, 16_000]);
      const last = from + size >= data.length;
      frames.push(frame(frameType.data, last && ends ? flag.endStream : 0, stream, data.subarray(from, from + size)));
      from += size;
      if (frames.length > 200) {
        break;
      }
    }
  }
  if (random.chance(0.1)) {
    frames.push(frame(frameType.headers, flag.endHeaders | flag.endStream, stream, headerBlock([["x-trailer", "1"]])));
  }
  if (random.chance(0.1)) {
    frames.splice(random.int(1, frames.length), 0, frame(frameType.rstStream, 0, stream, uint32(random.int(0, 14))));
  }
  return frames;
}

function otherFrame(stream: number, random: Random): Buffer {
  const on = random.chance(0.5) ? 0 : stream;
  switch (random.int(0, 8)) {
    case 0:
      return frame(frameType.ping, random.int(0, 1), on, random.bytes(random.chance(0.9) ? 8 : random.int(0, 20)));
    case 1:
      return frame(frameType.windowUpdate, 0, on, uint32(random.pick([0, 1, 1000, 0x7fffffff, 0xffffffff])));
    case 2:
      return frame(frameType.settings, random.int(0, 1), on, settings(...settingsEntries(random)));
    case 3:
      return frame(frameType.priority, 0, on, random.bytes(5));
    case 4:
      return frame(frameType.goaway, 0, on, Buffer.concat([uint32(random.int(0, 20)), uint32(random.int(0, 14))]));
    case 5:
      return frame(frameType.pushPromise, flag.endHeaders, on, uint32(2));
    case 6:
      return frame(frameType.continuation, random.int(0, 255), on, random.bytes(random.int(0, 50)));
    case 7:
      return frame(random.int(0, 255), random.int(0, 255), on, random.bytes(random.int(0, 50)));
    default:
      return frame(frameType.data, random.int(0, 255), on, random.bytes(random.int(0, 50)), random.int(0, 0xffffff));
  }
}

function settingsEntries(random: Random): [number, number][] {
  return Array.from({ length: random.pick([0, 0, 1, 3]) }, () => [
    random.int(0, 8),
    random.pick([0, 1, 100, 16_384, 65_535, 0x7fffffff, 0xffffffff]),
  ]);
}

function shuffle(items: Buffer[], random: Random): void {
  const [a, b] = [random.int(0, items.length - 1), random.int(0, items.length - 1)];
  const [first, second] = [items[a], items[b]];
  if (first !== undefined && second !== undefined) {
    items[a] = second;
    items[b] = first;
  }
}

/** All that a client of HTTP/1.1 sends on one connection. */
export function http1Bytes(random: Random): Buffer {
  const requests = Array.from({ length: random.pick([1, 1, 2]) }, () => {
    const fields = requestFields(random);
    const find = (wanted: string) => fields.find(([name]) => name === wanted)?.[1] ?? "";
    const type = find("content-type");
    const content = random.chance(0.5) ? body(type, random) : Buffer.from('{"text":"hello"}');
    const path = random.chance(0.9) ? find(":path") : random.pick([echoPath, countPath, "/healthz"]);
    const chunked = random.chance(0.2);
    const lines = [
      `${find(":method") || "POST"} ${path} HTTP/1.${random.chance(0.95) ? 1 : random.int(0, 9)}`,
      `Host: ${find(":authority")}`,
      ...fields.filter(([name]) => !name.startsWith(":") && name !== "te").map(([name, value]) => `${name}: ${value}`),
      chunked
        ? "Transfer-Encoding: chunked"
        : `Content-Length: ${random.chance(0.9) ? content.length : random.int(0, 99)}`,
    ];
    const end = Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
    const size = random.chance(0.9) ? content.length.toString(16) : random.pick(["-1", "zz", "ffffffffff", ""]);
    return chunked
      ? Buffer.concat([end, Buffer.from(`${size}\r\n`), content, Buffer.from("\r\n0\r\n\r\n")])
      : Buffer.concat([end, content]);
  });
  const bytes = Buffer.concat(requests);
  return random.chance(0.7) ? bytes : mutate(bytes, random);
}
