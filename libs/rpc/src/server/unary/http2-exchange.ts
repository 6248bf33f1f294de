import { constants, type Http2Session, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { Message } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import type { MessageReceiver, UnaryCall, UnaryExchange } from "../../call/unary-call.ts";
import type { UnaryContext } from "../../call/unary-context.ts";
import { corsHeaders } from "../cors.ts";
import { Body } from "./body.ts";
import type { Codec } from "./codec.ts";
import { compressed } from "./compressed.ts";
import type { UnaryProtocol } from "./protocol.ts";
import type { Reply } from "./reply.ts";

/**
 * A unary call on an HTTP/2 stream, by Node's core interface: its compatibility interface costs several times what the stream itself does.
 *
 * Node's handle of a stream keeps the stream alive until the next full garbage collection, and with it all that its listeners know. So they know nothing:
 * they find the exchange by a property of the stream, which is taken away when the call is over. That halves what the collector has to copy.
 */
export class Http2Exchange implements UnaryExchange {
  readonly protocol: string;
  readonly requestMethod = "POST";
  readonly #stream: CarryingStream;
  readonly #headers: IncomingHttpHeaders;
  readonly #format: UnaryProtocol;
  readonly #codec: Codec;
  readonly #messageBytes: number;
  #call: UnaryCall | undefined;
  #body: Body | undefined;
  #receiver: MessageReceiver | undefined;
  #bytes: Buffer | undefined;

  constructor(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    format: UnaryProtocol,
    codec: Codec,
    messageBytes: number,
  ) {
    this.#stream = stream;
    this.#headers = headers;
    this.#format = format;
    this.#codec = codec;
    this.#messageBytes = messageBytes;
    this.protocol = format.name;
    this.#stream[carried] = this;
  }

  /** The call hears of it when its caller leaves. */
  carry(call: UnaryCall): void {
    this.#call = call;
  }

  header(name: string): string | undefined {
    const value = this.#headers[name];
    return typeof value === "object" ? value.join(", ") : value;
  }

  headers(): Headers {
    return headersOf(this.#headers);
  }

  url(): string {
    const authority = this.header(":authority") ?? this.header("host") ?? "";
    return `${this.#headers[":scheme"] ?? "http"}://${authority}${this.#headers[":path"] ?? ""}`;
  }

  clientAddress(): string {
    return addressOf(this.#stream.session);
  }

  timeout(): number | ConnectError | undefined {
    return this.#format.timeout(this);
  }

  receive(to: MessageReceiver): void {
    const stream = this.#stream;
    this.#receiver = to;
    this.#body = new Body(this.#messageBytes, this.#format.overhead);
    // What came in one read with the headers is here already, which of a small request is everything.
    const chunk: Buffer | null = stream.read();
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
    if (bytes === undefined || receiver === undefined) {
      return;
    }
    let message: Message;
    try {
      message = this.#codec.parse(this.#format.decode(bytes, this.#messageBytes));
    } catch (error) {
      receiver.fault(error);
      return;
    }
    receiver.message(message);
  }

  closed(): void {
    this.#call?.leave();
  }

  respond(message: Message, context: UnaryContext): void {
    const reply = this.#format.reply(this.#codec.serialize(message), context);
    const compressing = this.#format.name === "connect" ? compressed(reply, this.header("accept-encoding")) : undefined;
    if (compressing === undefined) {
      this.#send(reply);
    } else {
      void compressing.then((smaller) => this.#send(smaller));
    }
  }

  fail(error: ConnectError, context: UnaryContext): void {
    this.#send(this.#format.failure(error, context));
    if (this.#body !== undefined) {
      // What is still on its way is of no use. Whoever sends it learns so once the answer is out: a reset overtakes headers that Node hasn't written yet.
      setImmediate(() => this.#stream.close(constants.NGHTTP2_NO_ERROR));
    }
  }

  left(): void {
    this.#stream[carried] = undefined;
  }

  #send(reply: Reply): void {
    this.#stream[carried] = undefined;
    sendOnStream(this.#stream, reply, this.#headers);
  }
}

/** Answers the request that has these headers, if its stream still takes an answer. */
export function sendOnStream(
  stream: CarryingStream,
  { status, headers, body, trailers }: Reply,
  { origin }: IncomingHttpHeaders,
): void {
  if (stream.destroyed || stream.closed) {
    return;
  }
  const head = [":status", String(status), ...headers];
  if (origin !== undefined) {
    head.push(...corsHeaders);
  }
  if (body === undefined) {
    stream.respond(head, trailersOnly);
  } else if (trailers === undefined) {
    stream.respond(head);
    stream.end(body);
  } else {
    stream[trailersToSend] = trailers;
    stream.on("wantTrailers", onWantTrailers);
    stream.respond(head, withTrailers);
    stream.end(body);
  }
}

const carried = Symbol("exchange");
const trailersToSend = Symbol("trailers");

/** A stream, and what its listeners need. */
export type CarryingStream = ServerHttp2Stream & {
  [carried]?: Http2Exchange | undefined;
  [trailersToSend]?: Reply["trailers"];
};

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

function onWantTrailers(this: CarryingStream): void {
  this.sendTrailers(this[trailersToSend] ?? {});
}

// Nothing caches gRPC, and its clients don't look at the date.
const withTrailers = { waitForTrailers: true, sendDate: false };
const trailersOnly = { endStream: true, sendDate: false };

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
