import { type ContextKey, createContextKey, type HandlerContext } from "@connectrpc/connect";

/** Where the server leaves the IP address of the peer; empty for calls within the process. */
export const clientAddressKey: ContextKey<string> = createContextKey("", { description: "client address" });

/** The IP address that this call came from (a proxy's, where there is one); empty for calls within the process. */
export function clientAddressOf(context: Pick<HandlerContext, "values">): string {
  return context.values.get(clientAddressKey);
}
