import { channel } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import type { Limits } from "../limits.ts";
import { ConnectionFault, errorCode } from "./errors.ts";
import { FloodGuard } from "./flood-guard.ts";
import { clientPreface, frameFlag, frameType, readUint31 } from "./frame.ts";
import { FrameReader } from "./frame-reader.ts";
import { FrameWriter, smallBytes } from "./frame-writer.ts";
import { HeaderAssembly } from "./header-assembly.ts";
import { HeaderBlocks } from "./header-blocks.ts";
import { OpenStreams } from "./open-streams.ts";
import { Output } from "./output.ts";
import { ReceiveWindow } from "./receive-window.ts";
import { RequestFields } from "./request-fields.ts";
import { SendWindow } from "./send-window.ts";
import {
  defaultHeaderTableBytes,
  defaultWindowBytes,
  maxWindowBytes,
  type PeerSettings,
  readSettings,
  settingId,
} from "./settings.ts";
import { ServerStream, type Trailers } from "./stream.ts";
import { StreamHistory } from "./stream-history.ts";

/** What a connection tells whoever serves it. */
export type ConnectionHandlers = {
  /** A request has begun; its body follows once the stream is attached and started. */
  onStream(stream: ServerStream): void;
  /** A request whose header fields are more than there may be. */
  onTooLarge(stream: ServerStream): void;
  /** Something has failed that is no fault of the client's; the connection ends. */
  onError(error: unknown): void;
  /** The connection is over: nothing comes or goes on it. */
  onClosed(connection: Connection): void;
};

/** Diagnostics channels that are told of each stream of a server. */
export const streamCreated = "kinora.http2.stream.created";
export const streamClosed = "kinora.http2.stream.closed";
const created = channel(streamCreated);
const closed = channel(streamClosed);

const highestStream = 2 ** 31 - 1;

/**
 * One HTTP/2 connection of a server (RFC 9113), from its preface on: what a frame means, and whether it may come. `ServerStream` has the state of one request.
 *
 * A client that breaks the rules loses its stream or its connection, and so does one that asks for work without end (flood-guard.ts).
 */
export class Connection {
  readonly socket: Socket;
  readonly streams: OpenStreams<ServerStream> = new OpenStreams();
  /** There has been a request. */
  used = false;
  /** When the last stream ended, or the connection began; on the clock of `performance.now()`. */
  idleSince: number = performance.now();
  readonly #limits: Limits;
  readonly #handlers: ConnectionHandlers;
  readonly #guard: FloodGuard;
  readonly #reader: FrameReader;
  readonly #assembly: HeaderAssembly;
  readonly #blocks: HeaderBlocks;
  readonly #history = new StreamHistory();
  readonly #output: Output;
  readonly #writer: FrameWriter;
  readonly #sendWindow: SendWindow;
  readonly #receiveWindow: ReceiveWindow;
  readonly #peer: PeerSettings = { headerTableBytes: defaultHeaderTableBytes, windowBytes: defaultWindowBytes };
  /** Bytes of answers that wait in streams. */
  #queued = 0;
  #prefaceAt = 0;
  #settled = false;
  /** No streams beyond this one. */
  #lastTaken = highestStream;
  #closing = false;
  /** Nothing more is read. */
  #over = false;
  #closed = false;

  constructor(socket: Socket, limits: Limits, handlers: ConnectionHandlers) {
    this.socket = socket;
    this.#limits = limits;
    this.#handlers = handlers;
    this.#guard = new FloodGuard(limits);
    this.#reader = new FrameReader((type, flags, id, from, start, end) =>
      this.#frame(type, flags, id, from, start, end),
    );
    // Compressed, a block is hardly more than what it unfolds to.
    this.#assembly = new HeaderAssembly(4 * limits.headerBytes, (id, ends, from, start, end) =>
      this.#onBlock(id, ends, from, start, end),
    );
    this.#blocks = new HeaderBlocks({ bytes: limits.headerBytes, fields: limits.headerFields });
    this.#output = new Output(socket, () => this.#sendWindow.pump());
    this.#writer = new FrameWriter(this.#output);
    this.#sendWindow = new SendWindow(this.#output);
    this.#writer.settings([
      [settingId.maxConcurrentStreams, limits.streamsPerConnection],
      [settingId.initialWindowSize, limits.streamWindowBytes],
      [settingId.maxHeaderListSize, limits.headerBytes],
    ]);
    this.#receiveWindow = new ReceiveWindow(limits.connectionWindowBytes, (bytes) =>
      this.#writer.windowUpdate(0, bytes),
    );
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.once("close", () => this.#end());
  }

  /** It takes no more requests, because we or the client have said so, and ends once those under way have. */
  get closing(): boolean {
    return this.#closing;
  }

  /** Nothing more is read or sent. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Bytes that the client hasn't taken. */
  get untaken(): number {
    return this.#output.backlog + this.#queued;
  }

  /** A header block has begun and not ended. */
  get inHeaders(): boolean {
    return this.#assembly.open;
  }

  /** Asks the client to go elsewhere, without failing what it has just sent: `close` follows after `patienceMs`. https://www.rfc-editor.org/rfc/rfc9113#section-6.8 */
  goAway(patienceMs: number): void {
    if (!this.#over && !this.#closing) {
      this.#writer.goAway(highestStream, errorCode.none);
      setTimeout(() => this.close(), patienceMs);
    }
  }

  /** Takes no more requests; ends once those under way have been answered. */
  close(): void {
    if (this.#over || this.#lastTaken !== highestStream) {
      return;
    }
    this.#closing = true;
    this.#lastTaken = this.#history.last;
    this.#writer.goAway(this.#history.last, errorCode.none);
    this.#endIfDone();
  }

  /** Ends it now. */
  destroy(): void {
    this.socket.destroy();
    this.#end();
  }

  // What streams ask for.

  /** The client may send so many bytes again. */
  consumed(stream: ServerStream, bytes: number): void {
    this.#receiveWindow.release(bytes);
    if (stream.remoteEnded || stream.closed) {
      return;
    }
    stream.unannounced += bytes;
    if (stream.unannounced >= this.#limits.streamWindowBytes / 2) {
      this.#writer.windowUpdate(stream.id, stream.unannounced);
      stream.receiveWindow += stream.unannounced;
      stream.unannounced = 0;
    }
  }

  /** Bytes of a body that a stream may send now, in one frame. */
  room(stream: ServerStream): number {
    return this.#sendWindow.room(stream);
  }

  /** A stream has something to send that can't go now. */
  wait(stream: ServerStream): void {
    this.#sendWindow.wait(stream);
  }

  /** So many bytes more wait in streams; fewer, if negative. */
  queued(bytes: number): void {
    this.#queued += bytes;
  }

  /** Calls `action` once all that was sent so far is the operating system's. */
  whenWritten(action: () => void): void {
    this.#output.whenWritten(action);
  }

  /** Sends a whole small answer at once; false if it is large or the windows are narrow. */
  sendAnswer(
    stream: ServerStream,
    fields: readonly string[],
    body: Uint8Array,
    enveloped: boolean,
    length: number,
    trailers: Trailers | undefined,
  ): boolean {
    if (length > smallBytes || length > this.#sendWindow.room(stream)) {
      return false;
    }
    this.#sendWindow.take(stream, length);
    this.#writer.answer(stream.id, fields, body, enveloped, length, trailers === undefined);
    if (trailers !== undefined) {
      this.#writer.headers(stream.id, trailers, true);
    }
    return true;
  }

  sendHeaders({ id }: ServerStream, fields: readonly string[], end: boolean): void {
    this.#writer.headers(id, fields, end);
  }

  /** Sends a frame of a body, for which there must be room. */
  sendData(stream: ServerStream, parts: readonly Uint8Array[], length: number, end: boolean): void {
    this.#sendWindow.take(stream, length);
    this.#writer.data(stream.id, parts, length, end);
  }

  sendReset({ id }: ServerStream, code: number): void {
    this.#reset(id, code);
  }

  streamClosed(stream: ServerStream): void {
    this.streams.delete(stream.id);
    if (closed.hasSubscribers) {
      closed.publish(stream);
    }
    this.#sendWindow.forget(stream);
    if (this.streams.size === 0) {
      this.idleSince = performance.now();
      if (this.#closing) {
        this.#endIfDone();
      }
    }
  }

  // What comes in.

  #read(chunk: Buffer): void {
    if (this.#over) {
      return;
    }
    try {
      const start = this.#prefaceAt < clientPreface.length ? this.#readPreface(chunk) : 0;
      this.#reader.read(chunk, start);
    } catch (fault) {
      this.#fail(fault);
    }
  }

  #readPreface(chunk: Buffer): number {
    const length = Math.min(chunk.length, clientPreface.length - this.#prefaceAt);
    if (clientPreface.compare(chunk, 0, length, this.#prefaceAt, this.#prefaceAt + length) !== 0) {
      throw new ConnectionFault(errorCode.protocol, "not the preface of HTTP/2");
    }
    this.#prefaceAt += length;
    return length;
  }

  #frame(type: number, flags: number, id: number, from: Buffer, start: number, end: number): boolean {
    this.#assembly.check(type, id);
    if (!this.#settled && type !== frameType.settings) {
      throw new ConnectionFault(errorCode.protocol, "SETTINGS must come first");
    }
    switch (type) {
      case frameType.data:
        this.#onData(flags, id, from, start, end);
        break;
      case frameType.headers:
        this.#assembly.headers(flags, id, from, start, end);
        break;
      case frameType.priority:
        this.#onPriority(id, from, start, end);
        break;
      case frameType.rstStream:
        this.#onReset(id, end - start);
        break;
      case frameType.settings:
        this.#onSettings(flags, id, from, start, end);
        break;
      case frameType.pushPromise:
        throw new ConnectionFault(errorCode.protocol, "clients don't push");
      case frameType.ping:
        this.#onPing(flags, id, from, start, end);
        break;
      case frameType.goaway:
        this.#onGoAway(id, end - start);
        break;
      case frameType.windowUpdate:
        this.#onWindowUpdate(id, from, start, end);
        break;
      case frameType.continuation:
        this.#assembly.continuation(flags, id, from, start, end);
        break;
      default:
        this.#guard.idle();
    }
    return !this.#over;
  }

  #onData(flags: number, id: number, from: Buffer, start: number, end: number): void {
    const length = end - start;
    if (id === 0 || this.#history.isIdle(id)) {
      throw new ConnectionFault(errorCode.protocol, "DATA on a stream that isn't open");
    }
    const last = (flags & frameFlag.endStream) !== 0;
    let at = start;
    let until = end;
    if ((flags & frameFlag.padded) !== 0) {
      const padding = from[at] ?? 0;
      if (padding >= length) {
        throw new ConnectionFault(errorCode.protocol, "padding beyond its frame");
      }
      at++;
      until -= padding;
    }
    if (until === at && !last) {
      this.#guard.idle();
    }
    this.#receiveWindow.take(length);
    const stream = this.streams.get(id);
    if (stream === undefined || stream.remoteEnded) {
      this.#receiveWindow.release(length);
      this.#afterTheEnd(id, stream);
      return;
    }
    stream.receiveWindow -= length;
    if (stream.receiveWindow < 0) {
      this.#receiveWindow.release(length);
      this.#fault(stream, errorCode.flowControl);
      return;
    }
    const { contentLength } = stream.fields;
    const bytes = until - at;
    const total = stream.received + bytes;
    if (contentLength !== undefined && (total > contentLength || (last && total !== contentLength))) {
      this.#receiveWindow.release(length);
      this.#fault(stream, errorCode.protocol);
      return;
    }
    if (length > bytes) {
      this.consumed(stream, length - bytes);
    }
    stream.deliver(from.subarray(at, until), last);
  }

  #onBlock(id: number, ends: boolean, from: Buffer, start: number, end: number): void {
    if (id <= this.#history.last) {
      this.#onTrailers(id, ends, from, start, end);
      return;
    }
    // Its block has to be read in any case: it may change what later ones mean.
    const fields = this.#blocks.request(from, start, end);
    if (id > this.#lastTaken) {
      // The client has been told that this one isn't looked at.
      this.#guard.refusal();
      return;
    }
    this.#history.open(id);
    if (this.streams.size >= this.#limits.streamsPerConnection || this.#isFull()) {
      this.#guard.refusal();
      this.#reset(id, errorCode.refusedStream);
      return;
    }
    if (fields === "malformed") {
      this.#guard.reset();
      this.#reset(id, errorCode.protocol);
      return;
    }
    if (fields !== "too large" && ends && (fields.contentLength ?? 0) > 0) {
      this.#guard.reset();
      this.#reset(id, errorCode.protocol);
      return;
    }
    const known = fields === "too large" ? noFields : fields;
    const stream = new ServerStream(id, this, known, this.#peer.windowBytes, this.#limits.streamWindowBytes);
    stream.remoteEnded = ends;
    this.streams.add(stream);
    if (created.hasSubscribers) {
      created.publish(stream);
    }
    this.used = true;
    if (fields === "too large") {
      this.#handlers.onTooLarge(stream);
    } else {
      this.#handlers.onStream(stream);
    }
  }

  #onTrailers(id: number, ends: boolean, from: Buffer, start: number, end: number): void {
    const fields = this.#blocks.trailers(from, start, end);
    const stream = this.streams.get(id);
    if (stream === undefined || stream.remoteEnded) {
      if (this.#history.wasSkipped(id)) {
        throw new ConnectionFault(errorCode.protocol, "streams must be opened in their order");
      }
      if (stream === undefined && !this.#history.wasReset(id)) {
        throw new ConnectionFault(errorCode.streamClosed, "HEADERS on a stream that is closed");
      }
      this.#afterTheEnd(id, stream);
      return;
    }
    const { contentLength } = stream.fields;
    if (fields === undefined || !ends || (contentLength !== undefined && contentLength !== stream.received)) {
      this.#fault(stream, errorCode.protocol);
      return;
    }
    stream.requestTrailers = fields;
    stream.deliver(nothing, true);
  }

  #onPriority(id: number, from: Buffer, start: number, end: number): void {
    if (id === 0) {
      throw new ConnectionFault(errorCode.protocol, "PRIORITY on stream 0");
    }
    if (end - start !== 5) {
      throw new ConnectionFault(errorCode.frameSize, "PRIORITY must have 5 bytes");
    }
    if (readUint31(from, start) === id) {
      throw new ConnectionFault(errorCode.protocol, "a stream can't depend on itself");
    }
    this.#guard.idle();
  }

  #onReset(id: number, length: number): void {
    if (length !== 4) {
      throw new ConnectionFault(errorCode.frameSize, "RST_STREAM must have 4 bytes");
    }
    if (id === 0 || this.#history.isIdle(id)) {
      throw new ConnectionFault(errorCode.protocol, "RST_STREAM of a stream that isn't open");
    }
    this.#guard.reset();
    const stream = this.streams.get(id);
    if (stream !== undefined) {
      stream.resetCode = errorCode.cancel;
      stream.close();
    }
  }

  #onSettings(flags: number, id: number, from: Buffer, start: number, end: number): void {
    if (id !== 0) {
      throw new ConnectionFault(errorCode.protocol, "SETTINGS on a stream");
    }
    if ((flags & frameFlag.ack) !== 0) {
      if (end > start) {
        throw new ConnectionFault(errorCode.frameSize, "an acknowledgement with content");
      }
      if (!this.#settled) {
        throw new ConnectionFault(errorCode.protocol, "SETTINGS must come first");
      }
      this.#guard.idle();
      return;
    }
    if ((end - start) % 6 !== 0) {
      throw new ConnectionFault(errorCode.frameSize, "SETTINGS that are cut off");
    }
    if (this.#settled) {
      this.#guard.idle();
    }
    this.#settled = true;
    const windowBefore = this.#peer.windowBytes;
    readSettings(from, start, end, this.#peer);
    this.#writer.resizeTable(this.#peer.headerTableBytes);
    const wider = this.#peer.windowBytes - windowBefore;
    if (wider !== 0) {
      for (const stream of this.streams.all()) {
        if (stream.sendWindow + wider > maxWindowBytes) {
          throw new ConnectionFault(errorCode.flowControl, "a window beyond 31 bits");
        }
        stream.sendWindow += wider;
      }
    }
    this.#guard.acknowledgement(this.#output.backlog);
    this.#writer.settingsAck();
    if (wider > 0) {
      for (const stream of this.streams.all()) {
        stream.resume(1);
      }
      this.#sendWindow.pump();
    }
  }

  #onPing(flags: number, id: number, from: Buffer, start: number, end: number): void {
    if (id !== 0) {
      throw new ConnectionFault(errorCode.protocol, "PING on a stream");
    }
    if (end - start !== 8) {
      throw new ConnectionFault(errorCode.frameSize, "PING must have 8 bytes");
    }
    this.#guard.idle();
    if ((flags & frameFlag.ack) === 0) {
      this.#guard.acknowledgement(this.#output.backlog);
      this.#writer.pingAck(from.subarray(start, end));
    }
  }

  #onGoAway(id: number, length: number): void {
    if (id !== 0) {
      throw new ConnectionFault(errorCode.protocol, "GOAWAY on a stream");
    }
    if (length < 8) {
      throw new ConnectionFault(errorCode.frameSize, "GOAWAY that is cut off");
    }
    this.#guard.idle();
    this.#closing = true;
    this.#endIfDone();
  }

  #onWindowUpdate(id: number, from: Buffer, start: number, end: number): void {
    if (end - start !== 4) {
      throw new ConnectionFault(errorCode.frameSize, "WINDOW_UPDATE must have 4 bytes");
    }
    const increment = readUint31(from, start);
    if (id === 0) {
      if (increment === 0) {
        throw new ConnectionFault(errorCode.protocol, "WINDOW_UPDATE by nothing");
      }
      this.#sendWindow.widen(increment);
      return;
    }
    if (this.#history.isIdle(id)) {
      throw new ConnectionFault(errorCode.protocol, "WINDOW_UPDATE of a stream that isn't open");
    }
    const stream = this.streams.get(id);
    if (stream === undefined) {
      // It may have ended in the meantime.
      this.#guard.idle();
    } else if (increment === 0) {
      this.#fault(stream, errorCode.protocol);
    } else if (stream.sendWindow + increment > maxWindowBytes) {
      this.#fault(stream, errorCode.flowControl);
    } else {
      stream.sendWindow += increment;
      stream.resume(1);
      this.#sendWindow.pump();
    }
  }

  /** A frame for a stream to which none may come any more. */
  #afterTheEnd(id: number, stream: ServerStream | undefined): void {
    // The client may not have heard yet of a stream that we have reset.
    if (stream !== undefined) {
      this.#fault(stream, errorCode.streamClosed);
    } else if (!this.#history.wasReset(id)) {
      this.#guard.reset();
      this.#reset(id, errorCode.streamClosed);
    }
  }

  /** The client has broken the rules of a stream. */
  #fault(stream: ServerStream, code: number): void {
    this.#guard.reset();
    stream.reset(code);
  }

  /** It holds as much as it may. */
  #isFull(): boolean {
    return this.untaken > this.#limits.connectionMegabytes * 1_000_000;
  }

  #reset(id: number, code: number): void {
    this.#history.reset(id);
    this.#writer.reset(id, code);
  }

  // How it ends.

  #endIfDone(): void {
    if (this.streams.size === 0 && !this.#over) {
      this.#over = true;
      this.#output.end();
    }
  }

  /** The client, or we, have broken the protocol. */
  #fail(fault: unknown): void {
    if (this.#over) {
      return;
    }
    if (!(fault instanceof ConnectionFault)) {
      this.#handlers.onError(fault);
    }
    this.#writer.goAway(this.#history.last, fault instanceof ConnectionFault ? fault.code : errorCode.internal);
    this.#over = true;
    this.#output.end();
    this.#closeStreams();
    // The client has this long to read why.
    setTimeout(() => this.socket.destroy(), this.#limits.lingerMs).unref();
  }

  #closeStreams(): void {
    for (const stream of this.streams.all()) {
      stream.resetCode ??= errorCode.cancel;
      stream.close();
    }
  }

  #end(): void {
    if (!this.#closed) {
      this.#closed = true;
      this.#over = true;
      this.#closing = true;
      this.#closeStreams();
      this.#handlers.onClosed(this);
    }
  }
}

const nothing = Buffer.alloc(0);
const noFields = new RequestFields([], "", "", undefined);
