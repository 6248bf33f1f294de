import type { X509Certificate } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Message } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import type { CallContext } from "../../call/call-context.ts";
import type { MessageReceiver, UnaryExchange } from "../../call/call-exchange.ts";
import { corsHeaders } from "../cors.ts";
import { certificateOfPeer } from "../tls.ts";
import { Body } from "./body.ts";
import type { Codec } from "./codec.ts";
import { compressed } from "./compressed.ts";
import { deliverMessage } from "./deliver-message.ts";
import type { UnaryProtocol } from "./protocol.ts";
import type { Reply } from "./reply.ts";

/** A unary call over HTTP/1.1. */
export class Http1Unary implements UnaryExchange {
  readonly protocol: string;
  readonly requestMethod = "POST";
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #format: UnaryProtocol;
  readonly #codec: Codec;
  readonly #messageBytes: number;
  #body: Body | undefined;
  #receiver: MessageReceiver | undefined;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    format: UnaryProtocol,
    codec: Codec,
    messageBytes: number,
  ) {
    this.#request = request;
    this.#response = response;
    this.#format = format;
    this.#codec = codec;
    this.#messageBytes = messageBytes;
    this.protocol = format.name;
  }

  get request(): this {
    return this;
  }

  header(name: string): string | undefined {
    const value = this.#request.headers[name];
    return typeof value === "object" ? value.join(", ") : value;
  }

  headers(): Headers {
    const headers = new Headers();
    const { rawHeaders } = this.#request;
    for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
      headers.append(rawHeaders[i] ?? "", rawHeaders[i + 1] ?? "");
    }
    return headers;
  }

  url(): string {
    const scheme = "encrypted" in this.#request.socket ? "https" : "http";
    return `${scheme}://${this.header("host") ?? ""}${this.#request.url ?? ""}`;
  }

  clientAddress(): string {
    return this.#request.socket.remoteAddress ?? "";
  }

  peerCertificate(): X509Certificate | undefined {
    return certificateOfPeer(this.#request.socket);
  }

  timeout(): number | ConnectError | undefined {
    return this.#format.timeout(this);
  }

  receive(to: MessageReceiver): void {
    const body = new Body(this.#messageBytes, this.#format.overhead);
    this.#body = body;
    this.#receiver = to;
    this.#request.on("data", (chunk: Buffer) => {
      try {
        body.add(chunk);
      } catch (error) {
        to.fault(error);
      }
    });
    this.#request.on("end", () => to.arrived());
  }

  deliver(): void {
    const receiver = this.#receiver;
    const bytes = this.#body?.bytes();
    this.#body = undefined;
    if (bytes !== undefined && receiver !== undefined) {
      deliverMessage(bytes, this.#format, this.#codec, this.#messageBytes, receiver);
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
    const response = this.#response;
    if (response.destroyed || response.headersSent) {
      return;
    }
    const head = [...headers, "content-length", String(body === undefined ? 0 : Buffer.byteLength(body))];
    if (this.#request.headers.origin !== undefined) {
      head.push(...corsHeaders);
    }
    response.writeHead(status, head);
    response.end(body);
  }
}
