import { ConnectionFault, errorCode } from "./errors.ts";
import { maxPayloadBytes } from "./frame.ts";
import type { Output } from "./output.ts";
import { defaultWindowBytes, maxWindowBytes } from "./settings.ts";
import type { ServerStream } from "./stream.ts";

/** What the client lets a connection send (RFC 9113, section 5.2), and which of its streams wait for that. */
export class SendWindow {
  readonly #output: Output;
  #bytes = defaultWindowBytes;
  #waiting: ServerStream[] = [];
  #pumping = false;

  constructor(output: Output) {
    this.#output = output;
  }

  /** Bytes of a body that a stream may send now, in one frame. */
  room(stream: ServerStream): number {
    if (!this.#output.hasRoom || (this.#waiting.length > 0 && !this.#pumping)) {
      return 0;
    }
    return Math.min(stream.sendWindow, this.#bytes, maxPayloadBytes);
  }

  /** A stream sends so much, for which there must be room. */
  take(stream: ServerStream, bytes: number): void {
    stream.sendWindow -= bytes;
    this.#bytes -= bytes;
  }

  /** The client takes so much more. Throws a `ConnectionFault` if that is more than there can be. */
  widen(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > maxWindowBytes) {
      throw new ConnectionFault(errorCode.flowControl, "a window beyond 31 bits");
    }
    this.pump();
  }

  /** A stream has something to send that can't go now. */
  wait(stream: ServerStream): void {
    // Until its own window is wider, it needn't be asked.
    if (!stream.waiting && stream.sendWindow > 0) {
      stream.waiting = true;
      this.#waiting.push(stream);
    }
  }

  /** A stream is over. */
  forget(stream: ServerStream): void {
    if (stream.waiting) {
      this.#waiting = this.#waiting.filter((other) => other !== stream);
    }
  }

  /** Lets the streams that wait send, a frame each in turn. */
  pump(): void {
    if (this.#pumping) {
      return;
    }
    this.#pumping = true;
    while (this.#waiting.length > 0 && this.#bytes > 0 && this.#output.hasRoom) {
      const stream = this.#waiting.shift();
      if (stream !== undefined) {
        stream.waiting = false;
        stream.resume(1);
      }
    }
    this.#pumping = false;
  }
}
