import { ConnectionFault, errorCode } from "./errors.ts";
import { defaultWindowBytes } from "./settings.ts";

/** What a client may still send on a connection, all streams together; `announce` tells it of more when that is worth a frame. */
export class ReceiveWindow {
  readonly #size: number;
  readonly #announce: (bytes: number) => void;
  #bytes = defaultWindowBytes;
  #consumed = 0;

  constructor(size: number, announce: (bytes: number) => void) {
    this.#size = size;
    this.#announce = announce;
    this.release(size - defaultWindowBytes);
  }

  /** So much has come. Throws a `ConnectionFault` if that is more than may. */
  take(bytes: number): void {
    this.#bytes -= bytes;
    if (this.#bytes < 0) {
      throw new ConnectionFault(errorCode.flowControl, "more DATA than the connection's window lets through");
    }
  }

  /** So much of it is no longer held. */
  release(bytes: number): void {
    this.#consumed += bytes;
    if (this.#consumed >= this.#size / 2) {
      this.#announce(this.#consumed);
      this.#bytes += this.#consumed;
      this.#consumed = 0;
    }
  }
}
