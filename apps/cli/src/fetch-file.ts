import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import { backOff } from "./back-off.ts";
import { isConnectionFault } from "./describe-error.ts";
import { CliError } from "./errors.ts";

const maxTries = 8;
const requestMs = 120_000;

/** Downloads into a file, in up to eight tries. Returns the file's length in bytes. A broken transfer never counts as complete. */
export async function fetchFile(url: string, file: string, signal: AbortSignal): Promise<number> {
  for (let tries = 1; ; tries++) {
    try {
      return await fetchOnce(url, file, AbortSignal.any([signal, AbortSignal.timeout(requestMs)]));
    } catch (error) {
      signal.throwIfAborted();
      if (!isPassing(error)) throw error;
      if (tries === maxTries) {
        throw new CliError("The stream is complete, but it could not be brought home: the server does not answer.", {
          cause: error,
        });
      }
    }
    await backOff(tries, signal);
  }
}

async function fetchOnce(url: string, file: string, signal: AbortSignal): Promise<number> {
  const response = await fetch(url, { signal });
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    throw new BadAnswer(response.status, url);
  }
  const sink = createWriteStream(file);
  // undici, behind fetch, fails when fewer bytes come than Content-Length said.
  await pipeline(Readable.fromWeb(response.body as ReadableStream), sink, { signal });
  return sink.bytesWritten;
}

class BadAnswer extends CliError {
  readonly status: number;

  constructor(status: number, url: string) {
    super(`The server answered ${status} for ${url}, a part of the stream.`);
    this.status = status;
  }
}

function isPassing(error: unknown): boolean {
  if (error instanceof BadAnswer) return error.status >= 500 || error.status === 429;
  // fetch tells every fault of the network as a TypeError; files' faults have a code of the system.
  return error instanceof TypeError || (error as Error).name === "TimeoutError" || isConnectionFault(error);
}
