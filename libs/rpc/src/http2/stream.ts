import type { Connection } from "./connection.ts";
import { errorCode } from "./errors.ts";
import type { RequestFields } from "./request-fields.ts";

/** Hears what comes on a stream. */
export type StreamReceiver = {
  /** Some of the body, which whoever takes it tells `consumed`; `last`: nothing follows. */
  data(chunk: Buffer, last: boolean): void;
  /** The body has ended, after its last `data`. */
  end(): void;
  /** Nothing comes and nothing goes any more. Without an `end` before it, the peer has given up or broken the protocol, or we have reset it. */
  closed(): void;
  /** Bytes that it has taken and nobody has asked it for. */
  unread?(): number;
};

/** Fields after a body, names (lower case) and values in turn. */
export type Trailers = readonly string[];

const prefixBytes = 5;
const nothing = new Uint8Array();

/** One request and its answer, on a connection of a server. Nothing but state: bytes in come from the connection, bytes out go to it. */
export class ServerStream {
  readonly id: number;
  readonly connection: Connection;
  readonly fields: RequestFields;
  /** Fields that came after the body. */
  requestTrailers: readonly string[] = [];
  /** Bytes of the body that have come. */
  received = 0;
  /** Pieces of the answer that have left as a whole. Bytes would say that a client gets on which takes one at a time. */
  sent = 0;
  /** No more comes from the peer. */
  remoteEnded = false;
  /** No more goes to the peer. */
  localEnded = false;
  closed = false;
  /** Why it was reset, by either side. */
  resetCode: number | undefined = undefined;
  /** What the peer's window lets through; below 0 after the peer has shrunk it. */
  sendWindow: number;
  /** What ours still lets through. */
  receiveWindow: number;
  /** What was consumed of it and not given back yet. */
  unannounced = 0;
  headersSent = false;
  /** Called when there is room for more after `write` has returned false. */
  onDrain: (() => void) | undefined = undefined;
  /** In the connection's list of streams that have something to send. */
  waiting = false;
  #receiver: StreamReceiver | undefined;
  #started = false;
  #held: Buffer[] | undefined;
  #untold = 0;
  #queue: Uint8Array[] = [];
  #queued = 0;
  #ending = false;
  #discarding = false;
  #trailers: Trailers | undefined;

  constructor(id: number, connection: Connection, fields: RequestFields, sendWindow: number, receiveWindow: number) {
    this.id = id;
    this.connection = connection;
    this.fields = fields;
    this.sendWindow = sendWindow;
    this.receiveWindow = receiveWindow;
  }

  /** Bytes that wait for the peer to take them. */
  get queued(): number {
    return this.#queued;
  }

  /** Bytes that have come for which nobody has asked. */
  get unread(): number {
    return this.#untold + (this.#receiver?.unread?.() ?? 0);
  }

  /** Who hears of its end from now on, and of its body from `start` on. */
  attach(receiver: StreamReceiver): void {
    this.#receiver = receiver;
  }

  /** Gives what has come, and what comes, to the receiver. */
  start(): void {
    this.#started = true;
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) {
      const last = held.length - 1;
      held.forEach((chunk, i) => {
        this.#receiver?.data(chunk, i === last && this.remoteEnded);
      });
    }
    if (this.remoteEnded) {
      this.#receiver?.end();
    }
  }

  /** The connection has read some of the body. */
  deliver(chunk: Buffer, last: boolean): void {
    const { length } = chunk;
    this.received += length;
    this.#untold += length;
    if (last) {
      this.remoteEnded = true;
    }
    if (!this.#started) {
      if (this.localEnded) {
        this.consumed(length);
      } else if (length > 0) {
        this.#held ??= [];
        this.#held.push(chunk);
      }
    } else {
      if (length > 0) {
        this.#receiver?.data(chunk, last);
      }
      if (last) {
        this.#receiver?.end();
      }
    }
    this.#closeIfOver();
  }

  /** The body has so many bytes less to hold; the peer may send as many again. */
  consumed(bytes: number): void {
    this.#untold -= bytes;
    this.connection.consumed(this, bytes);
  }

  /**
   * Answers all at once: the fields (with `:status`), the body, in an envelope of gRPC if `enveloped`, and what comes after it. With neither body nor trailers the fields end the stream.
   */
  answer(
    fields: readonly string[],
    body: Uint8Array | undefined,
    trailers: Trailers | undefined,
    enveloped: boolean,
  ): void {
    if (this.closed || this.headersSent) {
      return;
    }
    this.headersSent = true;
    if (body === undefined && trailers === undefined) {
      this.localEnded = true;
      this.connection.sendHeaders(this, fields, true);
      this.#closeIfOver();
      return;
    }
    const message = body ?? nothing;
    const length = enveloped ? message.length + prefixBytes : message.length;
    if (this.connection.sendAnswer(this, fields, message, enveloped, length, trailers)) {
      this.localEnded = true;
      this.#closeIfOver();
      return;
    }
    this.connection.sendHeaders(this, fields, false);
    if (enveloped) {
      const prefix = Buffer.alloc(prefixBytes);
      prefix.writeUInt32BE(message.length, 1);
      this.#enqueue(prefix);
    }
    this.#enqueue(message);
    this.end(trailers);
  }

  /** Begins an answer. */
  respond(fields: readonly string[], end = false): void {
    if (this.closed || this.headersSent) {
      return;
    }
    this.headersSent = true;
    this.localEnded = end;
    this.connection.sendHeaders(this, fields, end);
    this.#closeIfOver();
  }

  /** Sends fields in front of the answer's own: a status of 1xx. */
  inform(fields: readonly string[]): void {
    if (!this.closed && !this.headersSent) {
      this.connection.sendHeaders(this, fields, false);
    }
  }

  /** Sends some of the body, which must not change any more. False: better wait for `onDrain` before the next. */
  write(bytes: Uint8Array): boolean {
    if (this.closed || this.#ending) {
      return true;
    }
    this.#enqueue(bytes);
    this.#send();
    return this.#queued === 0;
  }

  /** Nothing follows but trailers. */
  end(trailers?: Trailers): void {
    if (this.closed || this.#ending) {
      return;
    }
    this.#ending = true;
    this.#trailers = trailers;
    this.#send();
  }

  /** Ends it without waiting for anything. */
  reset(code: number): void {
    if (!this.closed) {
      this.resetCode = code;
      this.connection.sendReset(this, code);
      this.close();
    }
  }

  /** Whoever still sends a body learns that it is of no use, once the answer is out. */
  discard(): void {
    this.#discarding = true;
    if (this.localEnded) {
      this.reset(errorCode.none);
    }
  }

  /** The connection has room for it, or its window is wider: sends at most `frames` frames. */
  resume(frames: number): void {
    const before = this.#queued;
    this.#send(frames);
    if (before > 0 && this.#queued === 0) {
      this.onDrain?.();
    }
  }

  /** It is over. Only for itself and its connection. */
  close(): void {
    if (this.closed) {
      return;
    }
    this.closed = true;
    this.#queue = [];
    this.connection.queued(-this.#queued);
    this.#queued = 0;
    this.connection.streamClosed(this);
    if (this.#untold > 0) {
      this.consumed(this.#untold);
    }
    this.#held = undefined;
    const receiver = this.#receiver;
    this.#receiver = undefined;
    this.onDrain = undefined;
    receiver?.closed();
  }

  #enqueue(bytes: Uint8Array): void {
    if (bytes.length > 0) {
      this.#queue.push(bytes);
      this.#queued += bytes.length;
      this.connection.queued(bytes.length);
    }
  }

  /** Sends what the windows let through. */
  #send(frames = Number.POSITIVE_INFINITY): void {
    const { connection } = this;
    for (let left = frames; this.#queued > 0; left--) {
      const room = left > 0 ? Math.min(this.#queued, connection.room(this)) : 0;
      if (room <= 0) {
        connection.wait(this);
        return;
      }
      const parts = this.#take(room);
      this.#queued -= room;
      connection.queued(-room);
      const last = this.#ending && this.#queued === 0 && this.#trailers === undefined;
      connection.sendData(this, parts, room, last);
      if (last) {
        this.#ended();
      }
    }
    if (this.#ending && !this.localEnded && !this.closed) {
      if (this.#trailers === undefined) {
        connection.sendData(this, [], 0, true);
      } else {
        connection.sendHeaders(this, this.#trailers, true);
      }
      this.#ended();
    }
  }

  #take(bytes: number): Uint8Array[] {
    const parts: Uint8Array[] = [];
    for (let left = bytes; left > 0; ) {
      const first = this.#queue[0] ?? nothing;
      if (first.length <= left) {
        parts.push(first);
        this.#queue.shift();
        this.sent++;
        left -= first.length;
      } else {
        parts.push(first.subarray(0, left));
        this.#queue[0] = first.subarray(left);
        left = 0;
      }
    }
    return parts;
  }

  #ended(): void {
    this.localEnded = true;
    this.#closeIfOver();
    if (this.#discarding) {
      this.discard();
    }
  }

  #closeIfOver(): void {
    if (this.localEnded && this.remoteEnded) {
      this.close();
    }
  }
}
