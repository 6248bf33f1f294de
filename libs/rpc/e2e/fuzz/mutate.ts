import type { Random } from "./random.ts";

/** Damages bytes in one of the ways in which bytes are damaged. */
export function mutate(bytes: Buffer, random: Random): Buffer {
  if (bytes.length === 0) {
    return random.bytes(random.int(0, 20));
  }
  const at = random.int(0, bytes.length - 1);
  const copy = Buffer.from(bytes);
  switch (random.int(0, 6)) {
    case 0:
      copy[at] = (copy[at] ?? 0) ^ (1 << random.int(0, 7));
      return copy;
    case 1:
      copy[at] = random.pick([0, 1, 0x7f, 0x80, 0xff]);
      return copy;
    case 2:
      return copy.subarray(0, at);
    case 3:
      return copy.subarray(at);
    case 4:
      return Buffer.concat([copy.subarray(0, at), random.bytes(random.int(1, 20)), copy.subarray(at)]);
    case 5:
      return Buffer.concat([copy.subarray(0, at), copy.subarray(random.int(at, copy.length))]);
    default:
      return Buffer.concat([copy, copy.subarray(at)]);
  }
}

/** Cuts bytes into pieces, as a network may. */
export function cut(bytes: Buffer, random: Random): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = random.chance(0.5) ? bytes.length : random.int(at + 1, bytes.length);
    pieces.push(bytes.subarray(at, end));
    at = end;
  }
  return pieces;
}
