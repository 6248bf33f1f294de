import { DomainError } from "@kinora/rpc";
import type { Context } from "../context.ts";
import { lockEncode } from "../store/locked-encode.store.ts";
import { endEncode, followUp } from "./end-encode.ts";

/** Cancels an encode; no error if it is cancelled already. */
export async function cancelEncode(
  context: Context,
  encodeId: string,
  ownerId: string,
  signal: AbortSignal,
): Promise<void> {
  const ended = await context.db.transact(signal, async (db) => {
    const encode = await lockEncode(db, encodeId);
    if (encode === undefined || encode.ownerId !== ownerId) {
      throw new DomainError("not_found", `There is no encode ${encodeId}.`);
    }
    if (encode.state === "succeeded" || encode.state === "failed") {
      throw new DomainError("failed_precondition", `The encode has ${encode.state} already, so it can't be cancelled.`);
    }
    return await endEncode(context, db, encode, "cancelled");
  });
  if (ended !== undefined) await followUp(context, ended);
}
