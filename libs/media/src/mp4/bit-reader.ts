/** Reads numbers bit by bit, as the headers of video formats have them. Throws a RangeError beyond the end. */
export function createBitReader(bytes: Uint8Array) {
  let at = 0;
  const bit = (): number => {
    const byte = bytes[at >> 3];
    if (byte === undefined) throw new RangeError("a header ends early");
    return (byte >> (7 - (at++ & 7))) & 1;
  };
  /** An unsigned number of up to 32 bits. */
  const bits = (count: number): number => {
    let value = 0;
    for (let left = count; left > 0; left--) value = value * 2 + bit();
    return value;
  };
  /** An Exp-Golomb number: `ue(v)` of ITU-T H.264 and H.265, `uvlc()` of AV1. */
  const exponential = (): number => {
    let zeros = 0;
    while (bit() === 0) if (++zeros > 31) throw new RangeError("a header holds a number that is too large");
    return 2 ** zeros - 1 + bits(zeros);
  };
  return { bits, exponential };
}
