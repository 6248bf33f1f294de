import type { ByteRange } from "./object-store.ts";

/** What a Range header asks of an object. */
export type RangeRequest = { kind: "whole" } | { kind: "part"; range: ByteRange } | { kind: "unsatisfiable" };

const whole: RangeRequest = { kind: "whole" };

/**
 * Reads a Range header for an object of `bytes` bytes (RFC 9110 section 14.1.2). Several ranges, other units and malformed headers stand for
 * the whole object, which a server may always answer with (section 14.2).
 */
export function parseRange(header: string | undefined, bytes: number): RangeRequest {
  const match = /^bytes=(?:(\d+)-(\d*)|-(\d+))$/i.exec(header?.replaceAll(/[ \t]/g, "") ?? "");
  if (match === null) return whole;
  const [, first, last, suffix] = match;
  if (suffix !== undefined) {
    const length = Math.min(Number(suffix), bytes);
    return length === 0 ? { kind: "unsatisfiable" } : part(bytes - length, bytes - 1);
  }
  const start = Number(first);
  const end = last === "" ? bytes - 1 : Math.min(Number(last), bytes - 1);
  if (last !== "" && Number(last) < start) return whole;
  return start >= bytes ? { kind: "unsatisfiable" } : part(start, end);
}

function part(start: number, end: number): RangeRequest {
  return { kind: "part", range: { start, end } };
}
