import { DomainError } from "@kinora/rpc";
import type { Context } from "../context.ts";
import { isFinal } from "../domain/encode-state.ts";
import { type EncodeDetails, type EncodeRecord, findEncode, findEncodeDetails } from "../store/encode.store.ts";

/** Longest silence of a watch, in milliseconds; also how soon it sees what happens in another replica. */
const silenceMs = 1_000;

/** A state of an encode; the final one comes with all details. */
export type Watched = { encode: EncodeRecord; details?: EncodeDetails | undefined };

/**
 * Follows an encode: its state at once, on every change and at least once a second, until the final one. Throws `not_found` if it isn't the owner's or is
 * deleted meanwhile, `unavailable` when this process stops, so that the client follows on elsewhere.
 */
export async function* watchEncode(
  context: Context,
  encodeId: string,
  ownerId: string,
  signal: AbortSignal,
  stopping: AbortSignal,
): AsyncGenerator<Watched> {
  const ended = AbortSignal.any([signal, stopping]);
  for (;;) {
    // Begun before the question, so that a change between the two is noticed.
    const changed = context.encodeChanged.wait(encodeId, silenceMs, ended);
    const encode = await findEncode(context.db, encodeId, ownerId);
    if (encode === undefined) throw new DomainError("not_found", `There is no encode ${encodeId}.`);
    if (isFinal(encode.state)) {
      yield { encode, details: await findEncodeDetails(context.db, encodeId) };
      return;
    }
    yield { encode };
    await changed;
    signal.throwIfAborted();
    if (stopping.aborted) throw new DomainError("unavailable", "This server is stopping. Watch again.");
  }
}
