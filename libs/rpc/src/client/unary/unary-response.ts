import type { DescMessage, DescMethodUnary, MessageShape } from "@bufbuild/protobuf";
import type { UnaryResponse } from "@connectrpc/connect";
import type { UnaryReply } from "../endpoint/exchange.ts";
import type { UnaryProtocol } from "./unary-protocol.ts";

/** A response whose metadata is made when somebody asks for it: few do. A class, as getters of a prototype cost a call nothing. */
export class LazyUnaryResponse<I extends DescMessage, O extends DescMessage> implements UnaryResponse<I, O> {
  readonly stream = false;
  readonly method: DescMethodUnary<I, O>;
  readonly message: MessageShape<O>;
  readonly #protocol: UnaryProtocol;
  readonly #reply: UnaryReply;
  #header: Headers | undefined;
  #trailer: Headers | undefined;

  constructor(method: DescMethodUnary<I, O>, message: MessageShape<O>, protocol: UnaryProtocol, reply: UnaryReply) {
    this.method = method;
    this.message = message;
    this.#protocol = protocol;
    this.#reply = reply;
  }

  get service() {
    return this.method.parent;
  }

  get header(): Headers {
    this.#header ??= this.#protocol.header(this.#reply);
    return this.#header;
  }

  get trailer(): Headers {
    this.#trailer ??= this.#protocol.trailer(this.#reply);
    return this.#trailer;
  }
}
