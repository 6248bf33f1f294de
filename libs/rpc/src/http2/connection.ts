import { channel } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import type { Limits } from "../limits.ts";
import { Budget } from "./budget.ts";
import { ConnectionFault, errorCode } from "./errors.ts";
import {
  clientPreface,
  frameFlag,
  frameHeadBytes,
  frameType,
  maxPayloadBytes,
  readUint31,
  writeFrameHead,
  writeUint32,
} from "./frame.ts";
import { FrameReader } from "./frame-reader.ts";
import { HeaderBlocks } from "./header-blocks.ts";
import { HpackEncoder } from "./hpack/encoder.ts";
import { Output } from "./output.ts";
import { RequestFields } from "./request-fields.ts";
import {
  defaultHeaderTableBytes,
  defaultWindowBytes,
  maxWindowBytes,
  type PeerSettings,
  readSettings,
  settingId,
  settingsPayload,
} from "./settings.ts";
import { ServerStream, type Trailers } from "./stream.ts";

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
/** Frames in which a header block may come. */
const mostContinuations = 32;
/** Answers to PING and SETTINGS that a peer may leave untaken. */
const mostAcks = 1000;
/** What brings nothing: PING, SETTINGS, PRIORITY, empty DATA, frames of streams long gone, kinds that nobody knows. */
const idleFrames = { burst: 10_000, perSecond: 500 };
const prefixBytes = 5;
/** Answers up to this size are copied into one piece with the frames around them. */
const smallBytes = 4 * 1024;
/** Streams that were reset by us, whose frames may still be on their way. */
const remembered = 512;
/** Gaps between streams of which we know. */
const mostSkipped = 8;

/**
 * One HTTP/2 connection of a server (RFC 9113), from its preface on. `Connection` reads frames and keeps the rules; `ServerStream` has the state of one request.
 *
 * A client that breaks the rules loses its stream or its connection, and so does one that asks for work without end: each kind of it has a `Budget`.
 */
export class Connection {
  readonly socket: Socket;
  readonly streams: Map<number, ServerStream> = new Map();
  /** There has been a request. */
  used = false;
  /** When the last stream ended, or when it began; on the clock of `performance.now()`. */
  idleSince: number = performance.now();
  readonly #limits: Limits;
  readonly #handlers: ConnectionHandlers;
  readonly #output: Output;
  readonly #reader: FrameReader;
  readonly #blocks: HeaderBlocks;
  readonly #encoder = new HpackEncoder(defaultHeaderTableBytes);
  readonly #peer: PeerSettings = { headerTableBytes: defaultHeaderTableBytes, windowBytes: defaultWindowBytes };
  readonly #idle: Budget;
  readonly #resets: Budget;
  readonly #refusals: Budget;
  readonly #resetByUs = new Set<number>();
  #waiting: ServerStream[] = [];
  #pumping = false;
  /** Bytes of answers that wait in streams. */
  #queued = 0;
  #prefaceAt = 0;
  #settled = false;
  #lastStream = 0;
  /** Streams that were never opened and no longer can be. */
  #skipped: [first: number, last: number][] = [];
  #sendWindow = defaultWindowBytes;
  #receiveWindow = defaultWindowBytes;
  #consumed = 0;
  #acks = 0;
  // A header block that goes on in CONTINUATION frames.
  #blockStream = 0;
  #blockEnds = false;
  #blockParts: Buffer[] = [];
  #blockBytes = 0;
  /** No streams beyond this one. */
  #lastTaken = highestStream;
  #closing = false;
  #over = false;
  #closed = false;

  constructor(socket: Socket, limits: Limits, handlers: ConnectionHandlers) {
    const now = performance.now();
    this.socket = socket;
    this.#limits = limits;
    this.#handlers = handlers;
    this.#output = new Output(socket, () => this.#pump());
    this.#reader = new FrameReader((type, flags, id, from, start, end) =>
      this.#frame(type, flags, id, from, start, end),
    );
    this.#blocks = new HeaderBlocks({ bytes: limits.headerBytes, fields: limits.headerFields });
    this.#idle = new Budget(idleFrames, now);
    // A client that gives up on what it asked for, over and over, is one under load as often as one that means harm (CVE-2023-44487).
    const resets = { burst: limits.streamsPerConnection * 8, perSecond: limits.streamsPerConnection * 2 };
    this.#resets = new Budget(resets, now);
    this.#refusals = new Budget(resets, now);
    this.#sendSettings();
    socket.on("data", (chunk: Buffer) => this.read(chunk));
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
    return this.#blockStream !== 0;
  }

  /** Takes what has come from the client. */
  read(chunk: Buffer): void {
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

  /** Asks the client to go elsewhere, without failing what it has just sent: `close` follows after `patienceMs`. https://www.rfc-editor.org/rfc/rfc9113#section-6.8 */
  goAway(patienceMs: number): void {
    if (!this.#over && !this.#closing) {
      this.#sendGoAway(highestStream, errorCode.none);
      setTimeout(() => this.close(), patienceMs);
    }
  }

  /** Takes no more requests; ends once those under way have been answered. */
  close(): void {
    if (this.#over || this.#lastTaken !== highestStream) {
      return;
    }
    this.#closing = true;
    this.#lastTaken = this.#lastStream;
    this.#sendGoAway(this.#lastStream, errorCode.none);
    this.#endIfDone();
  }

  /** Ends it now. */
  destroy(): void {
    this.socket.destroy();
    this.#end();
  }

  // What streams ask for.

  /** The peer may send so many bytes again. */
  consumed(stream: ServerStream, bytes: number): void {
    this.#release(bytes);
    if (stream.remoteEnded || stream.closed) {
      return;
    }
    stream.unannounced += bytes;
    if (stream.unannounced >= this.#limits.streamWindowBytes / 2) {
      this.#sendWindowUpdate(stream.id, stream.unannounced);
      stream.receiveWindow += stream.unannounced;
      stream.unannounced = 0;
    }
  }

  /** Bytes of a body that a stream may send now, in one frame. */
  room(stream: ServerStream): number {
    if (!this.#output.hasRoom || (this.#waiting.length > 0 && !this.#pumping)) {
      return 0;
    }
    return Math.min(stream.sendWindow, this.#sendWindow, maxPayloadBytes);
  }

  /** A stream has something to send that can't go now. */
  wait(stream: ServerStream): void {
    // Until its own window is wider, it needn't be asked.
    if (!stream.waiting && stream.sendWindow > 0) {
      stream.waiting = true;
      this.#waiting.push(stream);
    }
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
    if (length > smallBytes || length > this.room(stream)) {
      return false;
    }
    const { id } = stream;
    const head = this.#encoder.encode(fields);
    if (head.length > smallBytes) {
      return false;
    }
    const output = this.#output;
    let at = output.reserve(2 * frameHeadBytes + head.length + length);
    const into = output.bytes;
    at = writeFrameHead(into, at, head.length, frameType.headers, frameFlag.endHeaders, id);
    into.set(head, at);
    at += head.length;
    at = writeFrameHead(into, at, length, frameType.data, trailers === undefined ? frameFlag.endStream : 0, id);
    if (enveloped) {
      into[at] = 0;
      at = writeUint32(into, at + 1, length - prefixBytes);
    }
    into.set(body, at);
    stream.sendWindow -= length;
    this.#sendWindow -= length;
    if (trailers !== undefined) {
      this.sendHeaders(stream, trailers, true);
    }
    return true;
  }

  sendHeaders({ id }: ServerStream, fields: readonly string[], end: boolean): void {
    const block = this.#encoder.encode(fields);
    const flags = end ? frameFlag.endStream : 0;
    if (block.length <= maxPayloadBytes) {
      const at = this.#output.reserve(frameHeadBytes + block.length);
      const { bytes } = this.#output;
      bytes.set(block, writeFrameHead(bytes, at, block.length, frameType.headers, flags | frameFlag.endHeaders, id));
      return;
    }
    for (let from = 0; from < block.length; from += maxPayloadBytes) {
      const part = block.subarray(from, from + maxPayloadBytes);
      const type = from === 0 ? frameType.headers : frameType.continuation;
      const last = from + part.length === block.length ? frameFlag.endHeaders : 0;
      this.#send(part.length, type, from === 0 ? flags | last : last, id);
      this.#output.append(Buffer.from(part));
    }
  }

  /** Sends a frame of a body, for which there must be room. */
  sendData(stream: ServerStream, parts: readonly Uint8Array[], length: number, end: boolean): void {
    stream.sendWindow -= length;
    this.#sendWindow -= length;
    this.#send(length, frameType.data, end ? frameFlag.endStream : 0, stream.id);
    for (const part of parts) {
      this.#output.append(part);
    }
  }

  sendReset({ id }: ServerStream, code: number): void {
    this.#sendReset(id, code);
  }

  streamClosed(stream: ServerStream): void {
    this.streams.delete(stream.id);
    if (closed.hasSubscribers) {
      closed.publish(stream);
    }
    if (stream.waiting) {
      this.#waiting = this.#waiting.filter((other) => other !== stream);
    }
    if (this.streams.size === 0) {
      this.idleSince = performance.now();
      if (this.#closing) {
        this.#endIfDone();
      }
    }
  }

  // What comes in.

  #readPreface(chunk: Buffer): number {
    const length = Math.min(chunk.length, clientPreface.length - this.#prefaceAt);
    if (clientPreface.compare(chunk, 0, length, this.#prefaceAt, this.#prefaceAt + length) !== 0) {
      throw new ConnectionFault(errorCode.protocol, "not the preface of HTTP/2");
    }
    this.#prefaceAt += length;
    return length;
  }

  #frame(type: number, flags: number, id: number, from: Buffer, start: number, end: number): boolean {
    if (this.#blockStream !== 0 && (type !== frameType.continuation || id !== this.#blockStream)) {
      throw new ConnectionFault(errorCode.protocol, "a header block must not be interrupted");
    }
    if (!this.#settled && type !== frameType.settings) {
      throw new ConnectionFault(errorCode.protocol, "SETTINGS must come first");
    }
    switch (type) {
      case frameType.data:
        this.#onData(flags, id, from, start, end);
        break;
      case frameType.headers:
        this.#onHeaders(flags, id, from, start, end);
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
        this.#onContinuation(flags, id, from, start, end);
        break;
      default:
        this.#spendIdle();
    }
    return !this.#over;
  }

  #onData(flags: number, id: number, from: Buffer, start: number, end: number): void {
    const length = end - start;
    if (id === 0 || this.#isIdle(id)) {
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
      this.#spendIdle();
    }
    this.#receiveWindow -= length;
    if (this.#receiveWindow < 0) {
      throw new ConnectionFault(errorCode.flowControl, "more DATA than the connection's window lets through");
    }
    const stream = this.streams.get(id);
    if (stream === undefined || stream.remoteEnded) {
      this.#release(length);
      this.#afterTheEnd(id, stream);
      return;
    }
    stream.receiveWindow -= length;
    if (stream.receiveWindow < 0) {
      this.#release(length);
      this.#fault(stream, errorCode.flowControl);
      return;
    }
    const { contentLength } = stream.fields;
    const bytes = until - at;
    const total = stream.received + bytes;
    if (contentLength !== undefined && (total > contentLength || (last && total !== contentLength))) {
      this.#release(length);
      this.#fault(stream, errorCode.protocol);
      return;
    }
    if (length > bytes) {
      this.consumed(stream, length - bytes);
    }
    stream.deliver(from.subarray(at, until), last);
  }

  #onHeaders(flags: number, id: number, from: Buffer, start: number, end: number): void {
    if (id === 0 || (id & 1) === 0) {
      throw new ConnectionFault(errorCode.protocol, "HEADERS on a stream that a client can't open");
    }
    let at = start;
    let until = end;
    if ((flags & frameFlag.padded) !== 0) {
      until -= from[at] ?? 0;
      at++;
    }
    if ((flags & frameFlag.priority) !== 0) {
      if (end - at < 5) {
        throw new ConnectionFault(errorCode.frameSize, "HEADERS that are cut off");
      }
      if (readUint31(from, at) === id) {
        throw new ConnectionFault(errorCode.protocol, "a stream can't depend on itself");
      }
      at += 5;
    }
    if (at > until) {
      throw new ConnectionFault(errorCode.protocol, "padding beyond its frame");
    }
    const ends = (flags & frameFlag.endStream) !== 0;
    if ((flags & frameFlag.endHeaders) !== 0) {
      this.#onBlock(id, ends, from, at, until);
      return;
    }
    this.#blockStream = id;
    this.#blockEnds = ends;
    this.#blockParts = [Buffer.from(from.subarray(at, until))];
    this.#blockBytes = until - at;
  }

  #onContinuation(flags: number, id: number, from: Buffer, start: number, end: number): void {
    if (this.#blockStream === 0 || id !== this.#blockStream) {
      throw new ConnectionFault(errorCode.protocol, "CONTINUATION of nothing");
    }
    this.#blockParts.push(Buffer.from(from.subarray(start, end)));
    this.#blockBytes += end - start;
    // Compressed, it is hardly more than what it unfolds to.
    if (this.#blockParts.length > mostContinuations || this.#blockBytes > 4 * this.#limits.headerBytes) {
      throw new ConnectionFault(errorCode.enhanceYourCalm, "a header block that doesn't end");
    }
    if ((flags & frameFlag.endHeaders) !== 0) {
      const block = Buffer.concat(this.#blockParts);
      this.#blockStream = 0;
      this.#blockParts = [];
      this.#onBlock(id, this.#blockEnds, block, 0, block.length);
    }
  }

  #onBlock(id: number, ends: boolean, from: Buffer, start: number, end: number): void {
    if (id <= this.#lastStream) {
      this.#onTrailers(id, ends, from, start, end);
      return;
    }
    // Its block has to be read in any case: it may change what later ones mean.
    const fields = this.#blocks.request(from, start, end);
    if (id > this.#lastTaken) {
      // The client has been told that this one isn't looked at.
      this.#spend(this.#refusals);
      return;
    }
    if (id > this.#lastStream + 2) {
      this.#skipped = [...this.#skipped.slice(1 - mostSkipped), [this.#lastStream + 2, id - 2]];
    }
    this.#lastStream = id;
    if (this.streams.size >= this.#limits.streamsPerConnection || this.#isFull()) {
      this.#spend(this.#refusals);
      this.#sendReset(id, errorCode.refusedStream);
      return;
    }
    if (fields === "malformed") {
      this.#spend(this.#resets);
      this.#sendReset(id, errorCode.protocol);
      return;
    }
    if (fields !== "too large" && ends && (fields.contentLength ?? 0) > 0) {
      this.#spend(this.#resets);
      this.#sendReset(id, errorCode.protocol);
      return;
    }
    const known = fields === "too large" ? noFields : fields;
    const stream = new ServerStream(id, this, known, this.#peer.windowBytes, this.#limits.streamWindowBytes);
    stream.remoteEnded = ends;
    this.streams.set(id, stream);
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
      if (this.#skipped.some(([first, last]) => id >= first && id <= last)) {
        throw new ConnectionFault(errorCode.protocol, "streams must be opened in their order");
      }
      if (stream === undefined && !this.#resetByUs.has(id)) {
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
    this.#spendIdle();
  }

  #onReset(id: number, length: number): void {
    if (length !== 4) {
      throw new ConnectionFault(errorCode.frameSize, "RST_STREAM must have 4 bytes");
    }
    if (id === 0 || this.#isIdle(id)) {
      throw new ConnectionFault(errorCode.protocol, "RST_STREAM of a stream that isn't open");
    }
    this.#spend(this.#resets);
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
      this.#spendIdle();
      return;
    }
    if ((end - start) % 6 !== 0) {
      throw new ConnectionFault(errorCode.frameSize, "SETTINGS that are cut off");
    }
    if (this.#settled) {
      this.#spendIdle();
    }
    this.#settled = true;
    const windowBefore = this.#peer.windowBytes;
    readSettings(from, start, end, this.#peer);
    this.#encoder.resize(this.#peer.headerTableBytes);
    const wider = this.#peer.windowBytes - windowBefore;
    if (wider !== 0) {
      for (const stream of this.streams.values()) {
        if (stream.sendWindow + wider > maxWindowBytes) {
          throw new ConnectionFault(errorCode.flowControl, "a window beyond 31 bits");
        }
        stream.sendWindow += wider;
      }
    }
    this.#countAck();
    this.#send(0, frameType.settings, frameFlag.ack, 0);
    if (wider > 0) {
      for (const stream of [...this.streams.values()]) {
        stream.resume(1);
      }
      this.#pump();
    }
  }

  #onPing(flags: number, id: number, from: Buffer, start: number, end: number): void {
    if (id !== 0) {
      throw new ConnectionFault(errorCode.protocol, "PING on a stream");
    }
    if (end - start !== 8) {
      throw new ConnectionFault(errorCode.frameSize, "PING must have 8 bytes");
    }
    this.#spendIdle();
    if ((flags & frameFlag.ack) === 0) {
      this.#countAck();
      this.#send(8, frameType.ping, frameFlag.ack, 0);
      this.#output.append(Buffer.from(from.subarray(start, end)));
    }
  }

  #onGoAway(id: number, length: number): void {
    if (id !== 0) {
      throw new ConnectionFault(errorCode.protocol, "GOAWAY on a stream");
    }
    if (length < 8) {
      throw new ConnectionFault(errorCode.frameSize, "GOAWAY that is cut off");
    }
    this.#spendIdle();
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
      this.#sendWindow += increment;
      if (this.#sendWindow > maxWindowBytes) {
        throw new ConnectionFault(errorCode.flowControl, "a window beyond 31 bits");
      }
      this.#pump();
      return;
    }
    if (this.#isIdle(id)) {
      throw new ConnectionFault(errorCode.protocol, "WINDOW_UPDATE of a stream that isn't open");
    }
    const stream = this.streams.get(id);
    if (stream === undefined) {
      // It may have ended in the meantime.
      this.#spendIdle();
    } else if (increment === 0) {
      this.#fault(stream, errorCode.protocol);
    } else if (stream.sendWindow + increment > maxWindowBytes) {
      this.#fault(stream, errorCode.flowControl);
    } else {
      stream.sendWindow += increment;
      stream.resume(1);
      this.#pump();
    }
  }

  /** A frame for a stream to which none may come any more. */
  #afterTheEnd(id: number, stream: ServerStream | undefined): void {
    // The client may not have heard yet of a stream that we have reset.
    if (stream !== undefined) {
      this.#fault(stream, errorCode.streamClosed);
    } else if (!this.#resetByUs.has(id)) {
      this.#spend(this.#resets);
      this.#sendReset(id, errorCode.streamClosed);
    }
  }

  /** The client has broken the rules of a stream. */
  #fault(stream: ServerStream, code: number): void {
    this.#spend(this.#resets);
    stream.reset(code);
  }

  /** A stream that nobody has opened so far. */
  #isIdle(id: number): boolean {
    return id > this.#lastStream || (id & 1) === 0;
  }

  /** It holds as much as it may. */
  #isFull(): boolean {
    return this.untaken > this.#limits.connectionMegabytes * 1_000_000;
  }

  #spendIdle(): void {
    this.#spend(this.#idle);
  }

  #spend(budget: Budget): void {
    if (!budget.spend(performance.now())) {
      throw new ConnectionFault(errorCode.enhanceYourCalm, "too much of what brings nothing");
    }
  }

  #countAck(): void {
    this.#acks = this.#output.backlog === 0 ? 1 : this.#acks + 1;
    if (this.#acks > mostAcks) {
      throw new ConnectionFault(errorCode.enhanceYourCalm, "more answers than the client takes");
    }
  }

  // What goes out.

  #sendSettings(): void {
    const { streamsPerConnection, streamWindowBytes, headerBytes, connectionWindowBytes } = this.#limits;
    const payload = settingsPayload([
      [settingId.maxConcurrentStreams, streamsPerConnection],
      [settingId.initialWindowSize, streamWindowBytes],
      [settingId.maxHeaderListSize, headerBytes],
    ]);
    this.#send(payload.length, frameType.settings, 0, 0);
    this.#output.append(payload);
    this.#consumed = connectionWindowBytes - defaultWindowBytes;
    this.#release(0);
  }

  #send(length: number, type: number, flags: number, id: number): void {
    const at = this.#output.reserve(frameHeadBytes);
    writeFrameHead(this.#output.bytes, at, length, type, flags, id);
  }

  #sendReset(id: number, code: number): void {
    this.#resetByUs.add(id);
    if (this.#resetByUs.size > remembered) {
      for (const oldest of this.#resetByUs) {
        this.#resetByUs.delete(oldest);
        break;
      }
    }
    this.#sendUint32(frameType.rstStream, id, code);
  }

  #sendWindowUpdate(id: number, increment: number): void {
    this.#sendUint32(frameType.windowUpdate, id, increment);
  }

  #sendUint32(type: number, id: number, value: number): void {
    const at = this.#output.reserve(frameHeadBytes + 4);
    const { bytes } = this.#output;
    writeUint32(bytes, writeFrameHead(bytes, at, 4, type, 0, id), value);
  }

  #sendGoAway(lastStream: number, code: number): void {
    const at = this.#output.reserve(frameHeadBytes + 8);
    const { bytes } = this.#output;
    const payload = writeFrameHead(bytes, at, 8, frameType.goaway, 0, 0);
    writeUint32(bytes, writeUint32(bytes, payload, lastStream), code);
  }

  /** The connection's window is so much wider again; the client hears of it when it is worth a frame. */
  #release(bytes: number): void {
    this.#consumed += bytes;
    if (this.#consumed >= this.#limits.connectionWindowBytes / 2) {
      this.#sendWindowUpdate(0, this.#consumed);
      this.#receiveWindow += this.#consumed;
      this.#consumed = 0;
    }
  }

  /** Lets the streams that wait send, a frame each in turn. */
  #pump(): void {
    if (this.#pumping) {
      return;
    }
    this.#pumping = true;
    while (this.#waiting.length > 0 && this.#sendWindow > 0 && this.#output.hasRoom && !this.#over) {
      const stream = this.#waiting.shift();
      if (stream !== undefined) {
        stream.waiting = false;
        if (!stream.closed) {
          stream.resume(1);
        }
      }
    }
    this.#pumping = false;
  }

  // How it ends.

  #endIfDone(): void {
    if (this.streams.size === 0 && !this.#over) {
      this.#over = true;
      this.#output.flush();
      this.socket.end();
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
    this.#sendGoAway(this.#lastStream, fault instanceof ConnectionFault ? fault.code : errorCode.internal);
    this.#over = true;
    this.#output.flush();
    this.socket.end();
    this.#closeStreams();
    // The client has this long to read why.
    setTimeout(() => this.socket.destroy(), this.#limits.lingerMs).unref();
  }

  #closeStreams(): void {
    for (const stream of [...this.streams.values()]) {
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
