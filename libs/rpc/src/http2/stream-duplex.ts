import type { OutgoingHttpHeaders } from "node:http";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { httpDate } from "../http-date.ts";
import { errorCode } from "./errors.ts";
import type { ServerStream } from "./stream.ts";

type SessionStandIn = { readonly socket: Socket; setTimeout(): void };

const sessions = new WeakMap<Socket, SessionStandIn>();

/** Stands for Node's session, from which its requests and responses take the socket by a symbol that is Node's own. */
function sessionOf(socket: Socket): SessionStandIn {
  let session = sessions.get(socket);
  if (session === undefined) {
    const known = { socket, setTimeout() {} };
    session = new Proxy(known, { get: (from, key) => (typeof key === "symbol" ? socket : Reflect.get(from, key)) });
    sessions.set(socket, session);
  }
  return session;
}

type RespondOptions = { endStream?: boolean; sendDate?: boolean };

const bodiless = new Set(["204", "205", "304"]);

/**
 * A stream in the form of Node's `ServerHttp2Stream`, as far as the requests and responses know it that Node makes for `createServer(onRequest)` of `node:http2`. So whatever
 * is written for those runs on connections of ours.
 */
export class StreamDuplex extends Duplex {
  readonly stream: ServerStream;
  readonly pushAllowed = false;
  aborted = false;
  #bodiless = false;
  #trailers: readonly string[] = [];
  /** Bytes that were pushed and not asked for. */
  #pushed = 0;
  #written: (() => void) | undefined;

  constructor(stream: ServerStream) {
    super({ allowHalfOpen: true, autoDestroy: false, emitClose: true });
    this.stream = stream;
    stream.onDrain = () => this.#drained();
    stream.attach({
      data: (chunk) => this.#receive(chunk),
      end: () => this.#receiveEnd(),
      closed: () => this.#close(),
      unread: () => this.readableLength,
    });
    stream.start();
  }

  get session(): SessionStandIn {
    return sessionOf(this.stream.connection.socket);
  }

  get id(): number {
    return this.stream.id;
  }

  get rstCode(): number {
    return this.stream.resetCode ?? errorCode.none;
  }

  get headersSent(): boolean {
    return this.stream.headersSent;
  }

  get headRequest(): boolean {
    return this.stream.fields.method === "HEAD";
  }

  get bufferSize(): number {
    return this.stream.queued + this.writableLength;
  }

  respond(headers: OutgoingHttpHeaders, options: RespondOptions = {}): void {
    const status = String(headers[":status"] ?? 200);
    const list = [":status", status, ...listOf(headers)];
    if (options.sendDate !== false && headers.date === undefined) {
      list.push("date", httpDate());
    }
    if (options.endStream !== true && !this.headRequest && !bodiless.has(status)) {
      this.stream.respond(list);
      return;
    }
    // Without a body and trailers these are all there is, in one frame: gRPC's clients insist.
    this.#bodiless = true;
    this.emit("wantTrailers");
    this.stream.respond(list, this.#trailers.length === 0);
    this.stream.end(this.#trailers);
    this.end();
  }

  additionalHeaders(headers: OutgoingHttpHeaders): void {
    this.stream.inform([":status", String(headers[":status"]), ...listOf(headers)]);
  }

  sendTrailers(trailers: OutgoingHttpHeaders): void {
    this.#trailers = listOf(trailers);
  }

  /** Resets it. */
  close(code: number = errorCode.none): void {
    this.stream.reset(code);
  }

  setTimeout(): this {
    return this;
  }

  /** What a HEAD or a status without a body is answered with counts for nothing. */
  override write(...args: never): boolean {
    return this.#bodiless || super.write(...(args as Parameters<Duplex["write"]>));
  }

  override _read(): void {
    this.#take();
  }

  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    this.#send([chunk], callback);
  }

  override _writev(chunks: { chunk: Buffer }[], callback: () => void): void {
    this.#send(
      chunks.map(({ chunk }) => chunk),
      callback,
    );
  }

  override _final(callback: () => void): void {
    if (!this.#bodiless) {
      // Whoever hears of this sends the trailers.
      this.emit("wantTrailers");
      this.stream.end(this.#trailers.length === 0 ? undefined : this.#trailers);
    }
    callback();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (!this.stream.closed) {
      this.stream.reset(error === null && this.stream.localEnded ? errorCode.none : errorCode.internal);
    }
    callback(error);
  }

  #receive(chunk: Buffer): void {
    this.#pushed += chunk.length;
    if (this.push(chunk)) {
      this.#take();
    }
  }

  #receiveEnd(): void {
    const { requestTrailers } = this.stream;
    if (requestTrailers.length > 0) {
      const trailers: Record<string, string> = {};
      for (let i = 0; i < requestTrailers.length; i += 2) {
        trailers[requestTrailers[i] ?? ""] = requestTrailers[i + 1] ?? "";
      }
      this.emit("trailers", trailers, 0, requestTrailers);
    }
    this.push(null);
  }

  /** The client may send as much as was taken. */
  #take(): void {
    const bytes = this.#pushed;
    this.#pushed = 0;
    if (bytes > 0 && !this.stream.closed) {
      this.stream.consumed(bytes);
    }
  }

  #send(chunks: Buffer[], callback: () => void): void {
    const { stream } = this;
    if (!stream.headersSent) {
      this.respond({});
    }
    let room = true;
    for (const chunk of chunks) {
      room = stream.write(chunk);
    }
    this.#written = callback;
    if (room) {
      this.#drained();
    }
  }

  /** All of what was written has left the stream. Its memory may be used again once it has left the process. */
  #drained(): void {
    const written = this.#written;
    this.#written = undefined;
    if (written !== undefined) {
      this.stream.connection.whenWritten(written);
    }
  }

  #close(): void {
    if (this.stream.localEnded) {
      // What has ended by itself says so first.
      setImmediate(() => this.destroy());
      return;
    }
    if (!this.writableEnded) {
      this.aborted = true;
      this.emit("aborted");
    }
    // Before whoever reads the body learns that there is no more of it, so that they know why.
    process.nextTick(() => this.destroy());
  }
}

// Controls, and what isn't a byte.
const unsendable = /[^\t\x20-\x7e\x80-\xff]/;

/** Fields that a server writes as an object, as names (lower case) and values in turn, without pseudo-headers. */
function listOf(headers: OutgoingHttpHeaders): string[] {
  const list: string[] = [];
  for (const name of Object.keys(headers)) {
    const value = headers[name];
    if (value !== undefined && !name.startsWith(":")) {
      for (const item of Array.isArray(value) ? value : [value]) {
        const text = String(item);
        if (unsendable.test(text)) {
          throw new TypeError(`Header "${name}" has a character that no header may have`);
        }
        list.push(name.toLowerCase(), text);
      }
    }
  }
  return list;
}
