import type { Context } from "../context.ts";
import { encodePrefix } from "../domain/object-keys.ts";
import { lockEncode, updateEncode } from "../store/locked-encode.store.ts";
import { sendCleanup } from "./cleanup.ts";
import { retrySeconds } from "./end-encode.ts";

/** Removes what a failed encode has kept for another try; nothing if it was tried again, or failed again since. */
export async function expireEncode(
  context: Pick<Context, "db" | "queue">,
  encodeId: string,
  signal: AbortSignal,
): Promise<void> {
  await context.db.transact(signal, async (db) => {
    const encode = await lockEncode(db, encodeId);
    if (encode?.state !== "failed" || !encode.retryable) return;
    const failedMs = Date.now() - (encode.finishedAt?.getTime() ?? 0);
    if (failedMs < (retrySeconds * 1000) / 2) return; // it has failed a second time since
    await updateEncode(db, encodeId, "failed", { retryable: false });
    await sendCleanup(context, db, { prefixes: [encodePrefix(encode.videoId, encodeId)] });
  });
}
