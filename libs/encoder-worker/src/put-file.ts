import { openAsBlob } from "node:fs";

/** An upload that was answered with something else than success; `status` 0 stands for no answer at all. */
export class PutError extends Error {
  override readonly name = "PutError";
  readonly status: number;

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }

  /** Whether the same address may accept the file later. */
  get transient(): boolean {
    return (
      this.status === 0 || this.status === 408 || this.status === 429 || (this.status >= 500 && this.status !== 507)
    );
  }
}

/** One upload may take this long before it is tried again. */
const putTimeoutMs = 120_000;

/** Sends a file's bytes by PUT, read from disk as they go out, with the exact Content-Length. Throws `PutError`. */
export async function putFile(
  url: string,
  file: string,
  { contentType, signal }: { contentType: string; signal: AbortSignal },
): Promise<void> {
  const body = await openAsBlob(file, { type: contentType });
  let response: Response;
  try {
    response = await fetch(url, {
      method: "PUT",
      body,
      redirect: "error",
      signal: AbortSignal.any([signal, AbortSignal.timeout(putTimeoutMs)]),
    });
    await response.arrayBuffer(); // frees the connection for the next file
  } catch (error) {
    signal.throwIfAborted();
    throw new PutError(0, `No answer to an upload (${causeOf(error)}).`, { cause: error });
  }
  if (!response.ok) {
    throw new PutError(response.status, `An upload was answered with ${response.status} ${response.statusText}`.trim());
  }
}

function causeOf(error: unknown): string {
  const { cause } = error as { cause?: unknown };
  return cause instanceof Error ? cause.message : String(error instanceof Error ? error.message : error);
}
