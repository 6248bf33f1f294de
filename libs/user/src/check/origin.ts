import type { HandlerContext } from "@connectrpc/connect";
import { clientAddressOf } from "@kinora/rpc";
import { addressKey } from "../session/client-address.ts";

/** Where a call comes from. */
export type Origin = {
  /** An `addressKey`. */
  address: string;
  /** The program as it names itself (User-Agent), without what doesn't show. */
  device: string;
};

const maxDevice = 200;

/** Where this call comes from. */
export function originOf(context: HandlerContext): Origin {
  const agent = context.requestHeader.get("user-agent") ?? "";
  return {
    address: addressKey(clientAddressOf(context)),
    device: agent.replace(/[^\x20-\x7e]/g, "").slice(0, maxDevice),
  };
}
