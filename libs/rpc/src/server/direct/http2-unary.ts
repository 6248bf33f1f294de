import type { Message } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import type { CallContext } from "../../call/call-context.ts";
import type { MessageReceiver, UnaryExchange } from "../../call/call-exchange.ts";
import type { Codec } from "./codec.ts";
import { compressed } from "./compressed.ts";
import type { Http2Request } from "./http2-request.ts";
import type { UnaryProtocol } from "./protocol.ts";
import type { Reply } from "./reply.ts";
import { sendOnStream } from "./send-on-stream.ts";

/** A unary call on an HTTP/2 stream. */
export class Http2Unary implements UnaryExchange {
  readonly protocol: string;
  readonly request: Http2Request;
  readonly #format: UnaryProtocol;
  readonly #codec: Codec;

  constructor(request: Http2Request, format: UnaryProtocol, codec: Codec) {
    this.request = request;
    this.#format = format;
    this.#codec = codec;
    this.protocol = format.name;
  }

  timeout(): number | ConnectError | undefined {
    return this.#format.timeout(this.request);
  }

  receive(to: MessageReceiver): void {
    this.request.receive(to);
  }

  deliver(): void {
    this.request.deliver();
  }

  respond(message: Message, context: CallContext): void {
    const reply = this.#format.reply(this.#codec.serialize(message), context);
    const accepted = this.#format.name === "connect" ? this.request.header("accept-encoding") : undefined;
    const compressing = compressed(reply, accepted);
    if (compressing === undefined) {
      this.#send(reply);
    } else {
      void compressing.then((smaller) => this.#send(smaller));
    }
  }

  fail(error: ConnectError, context: CallContext): void {
    this.#send(this.#format.failure(error, context));
    discardRest(this.request);
  }

  left(): void {}

  #send(reply: Reply): void {
    this.request.release();
    sendOnStream(this.request.stream, reply);
  }
}

/** What is still on its way is of no use once the call has been answered. */
export function discardRest({ stream }: Http2Request): void {
  if (!stream.remoteEnded) {
    // It may have come with the headers.
    setImmediate(() => stream.discard());
  }
}
