import type { Message } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import type { CallContext } from "../../call/call-context.ts";
import type { MessageReceiver, StreamExchange } from "../../call/call-exchange.ts";
import type { Codec } from "./codec.ts";
import { prefixBytes, writePrefix } from "./envelope.ts";
import type { Http2Request } from "./http2-request.ts";
import { discardRest } from "./http2-unary.ts";
import type { StreamProtocol } from "./protocol.ts";
import { ownHeaders } from "./reply.ts";
import { begin, sendOnStream } from "./send-on-stream.ts";

/** Messages leave together once they are this many bytes, or once the handler has no more at hand. */
const batchBytes = 16 * 1024;

const nothing = Buffer.alloc(0);

/** A call on an HTTP/2 stream that is answered by a stream of messages. */
export class Http2Streaming implements StreamExchange {
  readonly protocol: string;
  readonly request: Http2Request;
  readonly #format: StreamProtocol;
  readonly #codec: Codec;
  #begun = false;
  #batch: Uint8Array[] = [];
  #batchSize = 0;
  #flushing = false;
  /** Settles the promise that `send` has given while there was no room. */
  #room: (() => void) | undefined;

  constructor(request: Http2Request, format: StreamProtocol, codec: Codec) {
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

  send(message: Message, context: CallContext): Promise<void> | undefined {
    const content = this.#codec.serialize(message);
    this.#begin(context);
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    this.#batch.push(bytes);
    this.#batchSize += prefixBytes + bytes.length;
    if (this.#batchSize >= batchBytes) {
      this.#flush();
    } else if (!this.#flushing) {
      this.#flushing = true;
      // After what the handler does at once, and before anything that it waits for.
      process.nextTick(flush, this);
    }
    return this.request.stream.queued > 0 ? this.#untilDrained() : undefined;
  }

  finish(context: CallContext): void {
    this.#end(undefined, context);
  }

  fail(error: ConnectError, context: CallContext): void {
    this.#end(error, context);
    discardRest(this.request);
  }

  left(): void {
    this.#batch = [];
    this.#room?.();
  }

  flush(): void {
    this.#flushing = false;
    if (this.#batch.length > 0 && !this.#isGone()) {
      this.#flush();
    }
  }

  #isGone(): boolean {
    const { stream } = this.request;
    return stream.closed || stream.localEnded;
  }

  #begin(context: CallContext): void {
    if (!this.#begun && !this.#isGone()) {
      const headers = ownHeaders(this.#format.headers, context.writtenHeader);
      begin(this.request.stream, { status: 200, headers });
    }
    this.#begun = true;
  }

  #flush(): void {
    const bytes = this.#takeBatch(nothing);
    if (!this.#isGone()) {
      this.request.stream.write(bytes);
    }
  }

  #end(error: ConnectError | undefined, context: CallContext): void {
    this.request.release();
    this.#room?.();
    const { body, trailers } = this.#format.end(error, context);
    if (!this.#begun && trailers !== undefined && error !== undefined && context.writtenHeader === undefined) {
      // Nothing but trailers, in one frame.
      const headers = [...this.#format.headers, ...trailers];
      const reply = { status: 200, headers, body: undefined, trailers: undefined };
      sendOnStream(this.request.stream, reply);
      return;
    }
    this.#begin(context);
    if (this.#isGone()) {
      return;
    }
    const last = this.#takeBatch(body ?? nothing);
    this.request.stream.write(last);
    this.request.stream.end(trailers);
  }

  /** The messages that haven't left, in their envelopes, and what comes after them. */
  #takeBatch(after: Buffer): Buffer {
    const bytes = Buffer.allocUnsafe(this.#batchSize + after.length);
    let at = 0;
    for (const message of this.#batch) {
      writePrefix(bytes, at, message.length);
      bytes.set(message, at + prefixBytes);
      at += prefixBytes + message.length;
    }
    bytes.set(after, at);
    this.#batch = [];
    this.#batchSize = 0;
    return bytes;
  }

  #untilDrained(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#room = resolve;
    this.request.stream.onDrain = resolve;
    return promise;
  }
}

function flush(exchange: Http2Streaming): void {
  exchange.flush();
}
