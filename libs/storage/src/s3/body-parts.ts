import { LengthMismatchError, type ObjectBody } from "../object-store.ts";

/**
 * Cuts a body into pieces of `size` bytes, the last one shorter (there is always one, perhaps empty). At most one piece is in memory.
 * @param bytes the body's length, if it is known; throws LengthMismatchError where it ends before or after that
 */
export async function* bodyParts(body: ObjectBody, size: number, bytes?: number): AsyncGenerator<Uint8Array> {
  let piece: Uint8Array[] = [];
  let held = 0;
  let total = 0;
  for await (const chunk of typeof body === "string" || body instanceof Uint8Array ? [Buffer.from(body)] : body) {
    total += chunk.length;
    if (bytes !== undefined && total > bytes) {
      throw new LengthMismatchError(`The body has more than ${bytes} of ${bytes} bytes.`);
    }
    for (let rest = chunk; rest.length > 0; ) {
      const taken = rest.subarray(0, size - held);
      piece.push(taken);
      held += taken.length;
      rest = rest.subarray(taken.length);
      if (held < size) continue;
      yield Buffer.concat(piece, held);
      [piece, held] = [[], 0];
    }
  }
  if (bytes !== undefined && total !== bytes) {
    throw new LengthMismatchError(`The body has only ${total} of ${bytes} bytes.`);
  }
  if (held > 0 || total === 0) yield Buffer.concat(piece, held);
}
