import type { Message } from "@bufbuild/protobuf";
import type { MessageReceiver } from "../../call/call-exchange.ts";
import type { Codec } from "./codec.ts";
import type { RequestFormat } from "./protocol.ts";

/** Gives the message in a request's whole body to whoever waits for it, or what its caller gets if there is none. */
export function deliverMessage(
  body: Buffer,
  format: RequestFormat,
  codec: Codec,
  messageBytes: number,
  to: MessageReceiver,
): void {
  let message: Message;
  try {
    message = codec.parse(format.decode(body, messageBytes));
  } catch (error) {
    to.fault(error);
    return;
  }
  // Outside of the above: what the handler throws is its own.
  to.message(message);
}
