import { DomainError } from "@kinora/rpc";
import type { Context } from "../context.ts";
import { encodePrefix } from "../domain/object-keys.ts";
import { rememberDeleted, wasDeleted } from "../store/deleted.store.ts";
import { deleteEncodeRow } from "../store/encode.store.ts";
import { lockEncode } from "../store/locked-encode.store.ts";
import { publishEncode } from "../store/video.store.ts";
import { sendCleanup } from "./cleanup.ts";
import { endEncode, followUp } from "./end-encode.ts";

/** Deletes an encode and its stream; one under way is cancelled first. No error if its owner deleted it before. */
export async function deleteEncode(
  context: Context,
  encodeId: string,
  ownerId: string,
  signal: AbortSignal,
): Promise<void> {
  const ended = await context.db.transact(signal, async (db) => {
    const encode = await lockEncode(db, encodeId);
    if (encode === undefined || encode.ownerId !== ownerId) {
      if (await wasDeleted(db, encodeId, ownerId)) return undefined;
      throw new DomainError("not_found", `There is no encode ${encodeId}.`);
    }
    const followed = await endEncode(context, db, encode, "cancelled");
    await deleteEncodeRow(db, encodeId);
    await publishEncode(db, encode.videoId);
    await rememberDeleted(db, [encodeId], ownerId);
    await sendCleanup(context, db, { prefixes: [encodePrefix(encode.videoId, encodeId)] });
    return followed ?? { encodeId, tasks: [] };
  });
  if (ended !== undefined) await followUp(context, ended);
}
