import type { Client } from "@connectrpc/connect";
import type { QuotaService } from "@kinora/proto-user";
import type { Context } from "../context.ts";
import { failEncode, reserveQuota } from "../encode/plan-encode.ts";
import { findEncode } from "../store/encode.store.ts";

/** Reserves quota for the length that a source really has, where its headers stated less; an encode that there isn't enough for fails. Repeating it is harmless. */
export async function extendQuota(
  context: Context,
  quota: Client<typeof QuotaService>,
  encodeId: string,
  signal: AbortSignal,
): Promise<void> {
  const encode = await findEncode(context.db, encodeId);
  // One that has ended was settled by its real length, or released.
  if (encode === undefined || ["succeeded", "failed", "cancelled"].includes(encode.state)) return;
  const refusal = await reserveQuota(quota, encode, signal);
  if (refusal !== undefined) await failEncode(context, encodeId, refusal, signal);
}
