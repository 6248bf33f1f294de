import type { Socket } from "node:net";

/** Frames are gathered in pieces of this size. */
const pieceBytes = 32 * 1024;
/** From here on, copying costs more than handing over. */
const largeBytes = 4 * 1024;
/** A connection that waits for its peer to take so much gets no more bodies. */
const enoughBytes = 512 * 1024;

const none = Buffer.alloc(0);

const spare: Buffer[] = [];
const mostSpare = 64;

let dirty: Output[] = [];

function flushAll(): void {
  const outputs = dirty;
  dirty = [];
  for (const output of outputs) {
    output.flush();
  }
}

/**
 * What goes out on a connection. Frames are written one after the other into one piece of memory, and leave together once everything that the event loop has read was looked at: a system
 * call for each answer would cost more than the answer. While the operating system hasn't taken what it was given, more gathers here.
 */
export class Output {
  readonly #socket: Socket;
  readonly #onRoom: () => void;
  /** Where frames go; `reserve` says at what place. */
  bytes: Buffer = none;
  #at = 0;
  /** What is before this is in `#parts`. */
  #from = 0;
  #parts: Uint8Array[] = [];
  #partBytes = 0;
  /** Full pieces that are in `#parts`. */
  #full: Buffer[] = [];
  /** What is called when that is written which is being written, and when that is which waits. */
  #afterWriting: (() => void)[] = [];
  #afterNext: (() => void)[] = [];
  #marked = false;
  #writing = false;
  #ending = false;

  /** `onRoom` is called whenever the operating system has taken something. */
  constructor(socket: Socket, onRoom: () => void) {
    this.#socket = socket;
    this.#onRoom = onRoom;
  }

  /** Bytes that the operating system hasn't taken yet. */
  get backlog(): number {
    return (this.#writing ? this.#socket.writableLength : 0) + this.#partBytes + this.#at - this.#from;
  }

  /** Whether bodies may be written. */
  get hasRoom(): boolean {
    return this.backlog < enoughBytes;
  }

  /** Place for `length` bytes (at most a piece), which must be filled at once. */
  reserve(length: number): number {
    if (this.#at + length > this.bytes.length) {
      this.#cut();
      if (this.bytes !== none) {
        this.#full.push(this.bytes);
      }
      this.bytes = spare.pop() ?? Buffer.allocUnsafeSlow(pieceBytes);
      this.#at = 0;
      this.#from = 0;
    }
    this.#mark();
    const at = this.#at;
    this.#at = at + length;
    return at;
  }

  /** Appends bytes, large ones without a copy: they must not change any more. */
  append(bytes: Uint8Array): void {
    if (bytes.length < largeBytes) {
      const at = this.reserve(bytes.length);
      this.bytes.set(bytes, at);
      return;
    }
    this.#mark();
    this.#cut();
    this.#push(bytes);
  }

  /** Calls `action` once everything up to here is the operating system's; never, if the connection breaks before that. */
  whenWritten(action: () => void): void {
    if (this.#partBytes > 0 || this.#at > this.#from) {
      this.#afterNext.push(action);
    } else if (this.#writing) {
      this.#afterWriting.push(action);
    } else {
      process.nextTick(action);
    }
  }

  /** Ends our side of the connection behind everything up to here. */
  end(): void {
    this.#ending = true;
    this.flush();
  }

  /** Hands everything to the operating system, once that has taken what it has. */
  flush(): void {
    this.#marked = false;
    if (this.#writing) {
      return;
    }
    this.#cut();
    const parts = this.#parts;
    const last = parts.pop();
    if (last === undefined) {
      this.#endSocket();
      return;
    }
    const used = this.#full;
    if (this.bytes !== none) {
      used.push(this.bytes);
    }
    this.#full = [];
    this.#parts = [];
    this.#partBytes = 0;
    this.bytes = none;
    this.#at = 0;
    this.#from = 0;
    const socket = this.#socket;
    if (!socket.writable) {
      return;
    }
    this.#writing = true;
    this.#afterWriting = this.#afterNext;
    this.#afterNext = [];
    const many = parts.length > 0;
    if (many) {
      socket.cork();
      for (const part of parts) {
        socket.write(part);
      }
    }
    socket.write(last, (error) => {
      // The memory of a write that has failed may still be in use.
      if (!error) {
        this.#written(used);
      }
    });
    if (many) {
      socket.uncork();
    }
    this.#endSocket();
  }

  /** Where nothing waits here any more, the socket itself ends behind what it was given. */
  #endSocket(): void {
    if (this.#ending) {
      this.#socket.end();
    }
  }

  #written(used: readonly Buffer[]): void {
    for (const piece of used) {
      if (spare.length < mostSpare) {
        spare.push(piece);
      }
    }
    const after = this.#afterWriting;
    this.#writing = false;
    for (const action of after) {
      action();
    }
    this.flush();
    this.#onRoom();
  }

  #mark(): void {
    if (!this.#marked) {
      this.#marked = true;
      if (dirty.push(this) === 1) {
        setImmediate(flushAll);
      }
    }
  }

  #cut(): void {
    if (this.#at > this.#from) {
      this.#push(this.bytes.subarray(this.#from, this.#at));
      this.#from = this.#at;
    }
  }

  #push(bytes: Uint8Array): void {
    this.#parts.push(bytes);
    this.#partBytes += bytes.length;
  }
}
