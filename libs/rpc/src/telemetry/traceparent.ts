/** What a `traceparent` header says: https://www.w3.org/TR/trace-context/#traceparent-header */
export type Traceparent = { traceId: string; spanId: string; flags: number };

const zeroTraceId = "0".repeat(32);
const zeroSpanId = "0".repeat(16);

/** Reads a `traceparent` header; undefined where it isn't one. By hand, as it is done for every call. */
export function parseTraceparent(header: string | undefined): Traceparent | undefined {
  // version "-" trace id "-" parent id "-" flags; only versions after 00 may say more, after another dash.
  if (
    header === undefined ||
    header.length < 55 ||
    header.charCodeAt(2) !== dash ||
    header.charCodeAt(35) !== dash ||
    header.charCodeAt(52) !== dash ||
    !isHex(header, 0, 2) ||
    !isHex(header, 3, 35) ||
    !isHex(header, 36, 52) ||
    !isHex(header, 53, 55) ||
    header.startsWith("ff") ||
    (header.length > 55 && (header.startsWith("00") || header.charCodeAt(55) !== dash))
  ) {
    return undefined;
  }
  const traceId = header.slice(3, 35);
  const spanId = header.slice(36, 52);
  if (traceId === zeroTraceId || spanId === zeroSpanId) {
    return undefined;
  }
  return { traceId, spanId, flags: hexDigit(header.charCodeAt(53)) * 16 + hexDigit(header.charCodeAt(54)) };
}

const dash = 0x2d;

function isHex(text: string, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    if (hexDigit(text.charCodeAt(i)) < 0) {
      return false;
    }
  }
  return true;
}

/** The value of a lower-case hexadecimal digit, -1 for any other character. */
function hexDigit(character: number): number {
  if (character >= 0x30 && character <= 0x39) {
    return character - 0x30;
  }
  return character >= 0x61 && character <= 0x66 ? character - 0x57 : -1;
}

/** Flags as the header has them. */
export function formatFlags(flags: number): string {
  return flags < 16 ? `0${flags.toString(16)}` : flags.toString(16);
}
