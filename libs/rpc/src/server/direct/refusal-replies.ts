import type { ConnectError } from "@connectrpc/connect";
import type { Shedding } from "../../shedding/shedding.ts";
import type { UnaryProtocol } from "./protocol.ts";
import type { Reply } from "./reply.ts";

const nothingWritten = { writtenHeader: undefined, writtenTrailer: undefined };

/** The replies to calls that are refused at once. There are few different ones, and each is made only once. */
export function createRefusalReplies(shedding: Shedding | undefined): (protocol: UnaryProtocol) => Reply {
  const replies = new Map<UnaryProtocol, Map<ConnectError, Reply>>();
  return (protocol) => {
    const error = shedding?.refusal();
    if (error === undefined) {
      throw new Error("nothing is refused here");
    }
    const own = replies.get(protocol) ?? new Map<ConnectError, Reply>();
    const reply = own.get(error) ?? protocol.failure(error, nothingWritten);
    replies.set(protocol, own.set(error, reply));
    return reply;
  };
}
