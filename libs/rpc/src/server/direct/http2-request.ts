import type { X509Certificate } from "node:crypto";
import type { RequestFacts } from "../../call/call-context.ts";
import type { CallUnderWay, MessageReceiver } from "../../call/call-exchange.ts";
import type { HeaderSource } from "../../call/call-record.ts";
import type { ServerStream, StreamReceiver } from "../../http2/stream.ts";
import { certificateOfPeer } from "../tls.ts";
import { Body } from "./body.ts";
import type { Codec } from "./codec.ts";
import { deliverMessage } from "./deliver-message.ts";
import type { RequestFormat } from "./protocol.ts";

/** The request of a call on an HTTP/2 stream. */
export class Http2Request implements RequestFacts, HeaderSource, StreamReceiver {
  readonly requestMethod = "POST";
  readonly stream: ServerStream;
  readonly #format: RequestFormat;
  readonly #codec: Codec;
  readonly #messageBytes: number;
  #call: CallUnderWay | undefined;
  #body: Body | undefined;
  #bytes: Buffer | undefined;
  #receiver: MessageReceiver | undefined;

  constructor(stream: ServerStream, format: RequestFormat, codec: Codec, messageBytes: number) {
    this.stream = stream;
    this.#format = format;
    this.#codec = codec;
    this.#messageBytes = messageBytes;
    stream.attach(this);
  }

  /** The call hears of it when its caller leaves. */
  carry(call: CallUnderWay): void {
    this.#call = call;
  }

  header(name: string): string | undefined {
    return this.stream.fields.get(name);
  }

  headers(): Headers {
    const headers = new Headers();
    const { list } = this.stream.fields;
    for (let i = 0; i + 1 < list.length; i += 2) {
      const name = list[i] ?? "";
      // HTTP/2 has some of its own.
      if (!name.startsWith(":")) {
        headers.append(name, list[i + 1] ?? "");
      }
    }
    return headers;
  }

  url(): string {
    const authority = this.header(":authority") ?? this.header("host") ?? "";
    return `${this.header(":scheme") ?? "http"}://${authority}${this.stream.fields.path}`;
  }

  clientAddress(): string {
    return this.stream.connection.socket.remoteAddress ?? "";
  }

  peerCertificate(): X509Certificate | undefined {
    return certificateOfPeer(this.stream.connection.socket);
  }

  receive(to: MessageReceiver): void {
    this.#receiver = to;
    this.stream.start();
  }

  data(chunk: Buffer, last: boolean): void {
    this.stream.consumed(chunk.length);
    if (last && this.#body === undefined && chunk.length <= this.#messageBytes) {
      // All of it at once, as nearly always.
      this.#bytes = chunk;
      return;
    }
    this.#body ??= new Body(this.#messageBytes, this.#format.overhead);
    try {
      this.#body.add(chunk);
    } catch (error) {
      this.#receiver?.fault(error);
      this.#receiver = undefined;
    }
  }

  end(): void {
    this.#bytes ??= this.#body?.bytes() ?? nothing;
    this.#body = undefined;
    this.#receiver?.arrived();
  }

  deliver(): void {
    const bytes = this.#bytes;
    const receiver = this.#receiver;
    this.#bytes = undefined;
    this.#receiver = undefined;
    if (bytes !== undefined && receiver !== undefined) {
      deliverMessage(bytes, this.#format, this.#codec, this.#messageBytes, receiver);
    }
  }

  closed(): void {
    this.#call?.leave();
  }

  /** The call is being answered: nobody hears of its stream's end. */
  release(): void {
    this.#call = undefined;
  }
}

const nothing = Buffer.alloc(0);
