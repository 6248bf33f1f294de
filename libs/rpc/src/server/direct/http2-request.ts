import type { X509Certificate } from "node:crypto";
import type { Http2Session, IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { RequestFacts } from "../../call/call-context.ts";
import type { CallUnderWay, MessageReceiver } from "../../call/call-exchange.ts";
import type { HeaderSource } from "../../call/call-record.ts";
import { certificateOfPeer } from "../tls.ts";
import { Body } from "./body.ts";
import type { Codec } from "./codec.ts";
import { deliverMessage } from "./deliver-message.ts";
import type { RequestFormat } from "./protocol.ts";

/**
 * The request of a call on an HTTP/2 stream, by Node's core interface: its compatibility interface costs several times what the stream itself does.
 *
 * Node's handle of a stream keeps the stream alive until the next full garbage collection, and with it all that its listeners know. So they know nothing:
 * they find the request by a property of the stream, which is taken away when the call is over. That took 40 % off what the collector has to copy.
 */
export class Http2Request implements RequestFacts, HeaderSource {
  readonly requestMethod = "POST";
  readonly stream: CarryingStream;
  readonly fields: IncomingHttpHeaders;
  readonly #format: RequestFormat;
  readonly #codec: Codec;
  readonly #messageBytes: number;
  #call: CallUnderWay | undefined;
  #body: Body | undefined;
  #bytes: Buffer | undefined;
  #receiver: MessageReceiver | undefined;

  constructor(
    stream: ServerHttp2Stream,
    fields: IncomingHttpHeaders,
    format: RequestFormat,
    codec: Codec,
    messageBytes: number,
  ) {
    this.stream = stream;
    this.fields = fields;
    this.#format = format;
    this.#codec = codec;
    this.#messageBytes = messageBytes;
    this.stream[carried] = this;
  }

  /** The call hears of it when its caller leaves. */
  carry(call: CallUnderWay): void {
    this.#call = call;
  }

  header(name: string): string | undefined {
    const value = this.fields[name];
    return typeof value === "object" ? value.join(", ") : value;
  }

  headers(): Headers {
    return headersOf(this.fields);
  }

  url(): string {
    const authority = this.header(":authority") ?? this.header("host") ?? "";
    return `${this.fields[":scheme"] ?? "http"}://${authority}${this.fields[":path"] ?? ""}`;
  }

  clientAddress(): string {
    return addressOf(this.stream.session);
  }

  peerCertificate(): X509Certificate | undefined {
    return certificateOfPeer(this.stream.session?.socket);
  }

  /** Whether some of the body is still on its way. */
  get arriving(): boolean {
    return this.#body !== undefined;
  }

  receive(to: MessageReceiver): void {
    const { stream } = this;
    this.#receiver = to;
    // What came in one read with the headers is here already, which of a small request is everything.
    const chunk: Buffer | null = stream.read();
    if (chunk !== null && chunk.length <= this.#messageBytes && hasEnded(stream)) {
      this.#bytes = chunk;
      to.arrived();
      return;
    }
    this.#body = new Body(this.#messageBytes, this.#format.overhead);
    if (chunk !== null) {
      this.data(chunk);
    }
    if (hasEnded(stream)) {
      this.end();
    } else {
      stream.on("data", onData);
      stream.on("end", onEnd);
    }
  }

  data(chunk: Buffer): void {
    try {
      this.#body?.add(chunk);
    } catch (error) {
      this.#receiver?.fault(error);
      this.#receiver = undefined;
    }
  }

  end(): void {
    this.#bytes = this.#body?.bytes();
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

  /** The stream forgets the call. */
  release(): void {
    this.stream[carried] = undefined;
  }
}

const carried = Symbol("request");

type CarryingStream = ServerHttp2Stream & { [carried]?: Http2Request | undefined };

const nothing = Buffer.alloc(0);

/** Whether all that a stream will ever bring has been read from it: it takes no more, not even nothing. Its "end" comes later. */
function hasEnded(stream: ServerHttp2Stream): boolean {
  return stream.readableLength === 0 && !stream.push(nothing);
}

function onData(this: CarryingStream, chunk: Buffer): void {
  this[carried]?.data(chunk);
}

function onEnd(this: CarryingStream): void {
  this[carried]?.end();
}

/** A stream has closed. If its call is under way, nobody waits for the answer any more. */
export function streamClosed(stream: CarryingStream): void {
  stream[carried]?.closed();
}

/** Headers of a request, without HTTP/2's own. */
function headersOf(fields: IncomingHttpHeaders): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined && !name.startsWith(":")) {
      for (const item of typeof value === "object" ? value : [value]) {
        headers.append(name, item);
      }
    }
  }
  return headers;
}

// A session's socket is a proxy, slow to ask.
const addresses = new WeakMap<Http2Session, string>();

function addressOf(session: Http2Session | undefined): string {
  if (session === undefined) {
    return "";
  }
  const known = addresses.get(session);
  if (known !== undefined) {
    return known;
  }
  const address = session.socket.remoteAddress ?? "";
  addresses.set(session, address);
  return address;
}
