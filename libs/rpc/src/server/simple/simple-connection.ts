import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { CallUnderWay } from "../../call/call-exchange.ts";
import { httpDate } from "../../http-date.ts";
import type { RequestFields } from "../../http2/request-fields.ts";
import type { Limits } from "../../limits.ts";
import { endOfHead, type SimpleHead, simpleHead } from "./simple-request.ts";

/** A request that is all here. */
export type SimpleRequest = {
  readonly fields: RequestFields;
  readonly body: Buffer;
  readonly connection: SimpleConnection;
};

/** What a simple connection gives its requests to. */
export type SimpleHandlers = {
  /** Starts the call that a request is for; undefined if it is none of ours. */
  onRequest(request: SimpleRequest): CallUnderWay | undefined;
  /** The connection, with all that was read of it and not answered, is for Node's server from now on. */
  onOther(connection: SimpleConnection, unread: Buffer): void;
  onClosed(connection: SimpleConnection): void;
  /** Whether the connection is to end with the answer to the request under way. */
  isLast(connection: SimpleConnection): boolean;
};

/** More than this isn't read while a call is under way. */
const earlyBytes = 64 * 1024;

/**
 * A connection of HTTP/1.1 as long as every request on it is a simple one (simple-request.ts) that has come in one piece, as calls of programs are. The first that isn't sends the connection to
 * Node's own server, for good. So there is one reader for what is doubtful, and none of its cost for what is not.
 */
export class SimpleConnection {
  readonly socket: Socket;
  /** When the last answer was given, or it began; on the clock of `performance.now()`. */
  idleSince: number = performance.now();
  readonly #handlers: SimpleHandlers;
  readonly #limits: Limits;
  #call: CallUnderWay | undefined;
  /** A request is under way. */
  #busy = false;
  #over = false;
  #early: Buffer | undefined;
  #lastHead = "";
  #known: SimpleHead | undefined;

  constructor(socket: Socket, limits: Limits, handlers: SimpleHandlers) {
    this.socket = socket;
    this.#limits = limits;
    this.#handlers = handlers;
    socket.on("data", this.#onData);
    socket.on("close", this.#onClose);
  }

  /** Its last answer is out. */
  get ended(): boolean {
    return this.#over;
  }

  get busy(): boolean {
    return this.#busy;
  }

  /** Ends it, unless a request is under way: that one's answer is the last. */
  endIfIdle(): void {
    if (!this.#busy && !this.#over) {
      this.#over = true;
      this.idleSince = performance.now();
      this.socket.end();
    }
  }

  /** Answers the request under way. */
  answer(status: number, headers: readonly string[], body: Uint8Array | string): void {
    const { socket } = this;
    if (!this.#busy || this.#over) {
      return;
    }
    const last = this.#handlers.isLast(this);
    let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n`;
    for (let i = 0; i + 1 < headers.length; i += 2) {
      head += `${headers[i]}: ${headers[i + 1]}\r\n`;
    }
    head += `content-length: ${Buffer.byteLength(body)}\r\ndate: ${httpDate()}\r\n`;
    head += last ? "connection: close\r\n\r\n" : this.#keepAlive();
    if (typeof body === "string") {
      socket.write(head + body);
    } else {
      socket.cork();
      socket.write(head, "latin1");
      socket.write(body);
      socket.uncork();
    }
    this.#busy = false;
    this.#call = undefined;
    this.idleSince = performance.now();
    if (last) {
      this.#over = true;
      socket.end();
      return;
    }
    const early = this.#early;
    if (early !== undefined) {
      this.#early = undefined;
      socket.resume();
      this.#handOver(early);
    }
  }

  #keepAlive(): string {
    return `connection: keep-alive\r\nkeep-alive: timeout=${Math.floor(this.#limits.keepAliveMs / 1000)}\r\n\r\n`;
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#over) {
      return;
    }
    if (this.#busy) {
      // Sent before the answer to the one before it: Node's to sort out, later.
      this.#early = this.#early === undefined ? chunk : Buffer.concat([this.#early, chunk]);
      if (this.#early.length > earlyBytes) {
        this.socket.pause();
      }
      return;
    }
    const request = this.#read(chunk);
    if (request === undefined) {
      this.#handOver(chunk);
      return;
    }
    this.#busy = true;
    const call = this.#handlers.onRequest(request);
    if (call === undefined) {
      this.#busy = false;
      this.#handOver(chunk);
    } else if (this.#busy) {
      this.#call = call;
    }
  };

  readonly #onClose = (): void => {
    this.#over = true;
    this.#busy = false;
    this.#handlers.onClosed(this);
    this.#call?.leave();
    this.#call = undefined;
  };

  #read(chunk: Buffer): SimpleRequest | undefined {
    const end = chunk.indexOf(endOfHead);
    if (end < 0) {
      return undefined;
    }
    const head = chunk.toString("latin1", 0, end);
    // The next call of a client often has the same head.
    if (this.#known === undefined || head !== this.#lastHead) {
      this.#known = simpleHead(head, this.#limits);
      this.#lastHead = head;
    }
    const known = this.#known;
    if (known === undefined || chunk.length !== known.headBytes + known.bodyBytes) {
      return undefined;
    }
    return { fields: known.fields, body: chunk.subarray(known.headBytes), connection: this };
  }

  #handOver(unread: Buffer): void {
    this.#over = true;
    this.socket.off("data", this.#onData);
    this.socket.off("close", this.#onClose);
    this.#handlers.onOther(this, unread);
  }
}
