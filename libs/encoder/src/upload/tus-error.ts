import { DomainError } from "@kinora/rpc";
import { StorageFullError, StorageUnavailableError, storageFault } from "@kinora/storage";

/** An error response of the tus protocol, in the form that @tus/server looks for. */
export class TusError extends Error {
  override readonly name = "TusError";
  readonly status_code: number;
  readonly body: string;

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status_code = status;
    this.body = `${message}\n`;
  }
}

/** What @tus/server ends the body with when more bytes come than were announced. */
export function isSizeExceeded(error: unknown): boolean {
  return error instanceof Error && "status_code" in error && error.status_code === 413;
}

/** A fault of the storage as a response; others stay as they are. */
export function tusFault(error: unknown): unknown {
  const fault = storageFault(error instanceof DomainError ? error.cause : error);
  if (fault instanceof StorageFullError) {
    return new TusError(507, `${fault.message} The upload goes on from where it stopped.`, { cause: fault });
  }
  if (fault instanceof StorageUnavailableError) {
    return new TusError(503, "The storage can't be reached at this moment. Send the rest again in a while.", {
      cause: fault,
    });
  }
  return error;
}
