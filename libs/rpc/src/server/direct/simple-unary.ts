import type { X509Certificate } from "node:crypto";
import type { Message } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import type { CallContext } from "../../call/call-context.ts";
import type { MessageReceiver, UnaryExchange } from "../../call/call-exchange.ts";
import { corsHeaders } from "../cors.ts";
import type { SimpleRequest } from "../simple/simple-connection.ts";
import { certificateOfPeer } from "../tls.ts";
import type { Codec } from "./codec.ts";
import { compressed } from "./compressed.ts";
import { deliverMessage } from "./deliver-message.ts";
import type { UnaryProtocol } from "./protocol.ts";
import type { Reply } from "./reply.ts";

/** A unary call over HTTP/1.1 whose request has come in one piece. */
export class SimpleUnary implements UnaryExchange {
  readonly protocol: string;
  readonly requestMethod = "POST";
  readonly #request: SimpleRequest;
  readonly #format: UnaryProtocol;
  readonly #codec: Codec;
  readonly #messageBytes: number;
  #receiver: MessageReceiver | undefined;

  constructor(request: SimpleRequest, format: UnaryProtocol, codec: Codec, messageBytes: number) {
    this.#request = request;
    this.#format = format;
    this.#codec = codec;
    this.#messageBytes = messageBytes;
    this.protocol = format.name;
  }

  get request(): this {
    return this;
  }

  header(name: string): string | undefined {
    return this.#request.fields.get(name);
  }

  headers(): Headers {
    const headers = new Headers();
    const { list } = this.#request.fields;
    for (let i = 0; i + 1 < list.length; i += 2) {
      headers.append(list[i] ?? "", list[i + 1] ?? "");
    }
    return headers;
  }

  url(): string {
    const scheme = "encrypted" in this.#request.connection.socket ? "https" : "http";
    return `${scheme}://${this.header("host") ?? ""}${this.#request.fields.path}`;
  }

  clientAddress(): string {
    return this.#request.connection.socket.remoteAddress ?? "";
  }

  peerCertificate(): X509Certificate | undefined {
    return certificateOfPeer(this.#request.connection.socket);
  }

  timeout(): number | ConnectError | undefined {
    return this.#format.timeout(this);
  }

  receive(to: MessageReceiver): void {
    this.#receiver = to;
    to.arrived();
  }

  deliver(): void {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    if (receiver !== undefined) {
      deliverMessage(this.#request.body, this.#format, this.#codec, this.#messageBytes, receiver);
    }
  }

  respond(message: Message, context: CallContext): void {
    const reply = this.#format.reply(this.#codec.serialize(message), context);
    const compressing = this.#format.name === "connect" ? compressed(reply, this.header("accept-encoding")) : undefined;
    if (compressing === undefined) {
      this.#send(reply);
    } else {
      void compressing.then((smaller) => this.#send(smaller));
    }
  }

  fail(error: ConnectError, context: CallContext): void {
    this.#send(this.#format.failure(error, context));
  }

  left(): void {}

  #send({ status, headers, body }: Reply): void {
    const all = this.header("origin") === undefined ? headers : [...headers, ...corsHeaders];
    this.#request.connection.answer(status, all, body ?? "");
  }
}
