import type { ConnectError } from "@connectrpc/connect";
import type { MethodFacts } from "../../call/served-method.ts";
import type { UnaryProtocol } from "./protocol.ts";
import type { Reply } from "./reply.ts";

const nothingWritten = { writtenHeader: undefined, writtenTrailer: undefined };

/** The replies to calls that are refused at once. There are few different ones, and each is made only once. */
export function createRefusalReplies(): (protocol: UnaryProtocol, method: MethodFacts) => Reply {
  const replies = new Map<UnaryProtocol, Map<ConnectError, Reply>>();
  return (protocol, { shed }) => {
    const error = shed?.by.refusal();
    if (error === undefined) {
      throw new Error("nothing is refused here");
    }
    const own = replies.get(protocol) ?? new Map<ConnectError, Reply>();
    const reply = own.get(error) ?? protocol.failure(error, nothingWritten);
    replies.set(protocol, own.set(error, reply));
    return reply;
  };
}
