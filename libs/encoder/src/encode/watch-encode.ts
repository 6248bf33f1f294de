import { setTimeout as sleep } from "node:timers/promises";
import { DomainError } from "@kinora/rpc";
import type { Context } from "../context.ts";
import { isFinal } from "../domain/encode-state.ts";
import type { EncodeParts } from "../messages/encode-message.ts";
import { type EncodeRecord, findEncode } from "../store/encode.store.ts";
import { findEncodeParts } from "./encode-parts.ts";

/** Longest silence of a watch, in milliseconds; also how soon it sees what happens in another replica. */
const silenceMs = 1_000;

/** Shortest time between two messages, in milliseconds: a hundred workers report progress more often than anybody can read. */
const paceMs = 250;

/** A state of an encode; the final one comes with all details. */
export type Watched = { encode: EncodeRecord; parts: EncodeParts };

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
      yield { encode, parts: await findEncodeParts(context, encode, true) };
      return;
    }
    yield { encode, parts: await findEncodeParts(context, encode, false) };
    await Promise.all([changed, sleep(paceMs, undefined, { signal: ended }).catch(() => {})]);
    signal.throwIfAborted();
    if (stopping.aborted) throw new DomainError("unavailable", "This server is stopping. Watch again.");
  }
}
