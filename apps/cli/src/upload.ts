import { openAsBlob } from "node:fs";
import { backOff } from "./back-off.ts";
import type { TokenSource } from "./clients.ts";
import { CliError } from "./errors.ts";
import { createTusRequest, type TusAnswer, type TusRequest } from "./tus-request.ts";
import { patienceMs } from "./while-away.ts";

/** The server no longer knows the upload: it must be announced anew. */
export class UploadGone extends Error {
  override readonly name = "UploadGone";
}

/** A file that is sent. */
export type UploadOptions = {
  /** The upload's address, as the server gave it. */
  url: string;
  file: string;
  size: number;
  tokens: TokenSource;
  signal: AbortSignal;
  /** Bytes that have arrived at the server. */
  onProgress(bytes: number): void;
  /** The server doesn't answer; another try follows. */
  onWaiting(): void;
};

const minPiece = 256 * 1024;
const maxPiece = 64 * 1024 * 1024;
/** A piece should take about this long: often enough to show progress, and to lose little when the connection breaks. */
const pieceMs = 1_000;

/**
 * Sends a file by tus 1.0 (core protocol): asks how much has arrived (HEAD), then appends (PATCH) piece by piece. After every fault asks again, so
 * that a broken connection or a restart of the server costs one piece at most. Throws `UploadGone` when the server doesn't know the upload,
 * a CliError for what trying again can't mend.
 */
export async function uploadFile(options: UploadOptions): Promise<void> {
  const { file, size, signal, onProgress, onWaiting } = options;
  const content = await openAsBlob(file); // reading fails if the file changes from now on
  const request = createTusRequest(options);
  let piece = 1024 * 1024;
  let arrived: number | undefined; // unknown until asked, and after a fault
  let best = -1;
  let lastProgress = performance.now();
  let tries = 0;
  for (;;) {
    const started = performance.now();
    const before = arrived;
    const answer =
      before === undefined ? await request({ method: "HEAD" }) : await append(request, content, before, piece);
    const { offset } = answer;
    if (answer.ok && offset !== undefined && offset !== before) {
      if (offset > size) throw new UploadGone("The server has more bytes than the file.");
      if (offset > best) {
        best = offset;
        lastProgress = performance.now();
        tries = 0;
        onProgress(offset);
      }
      if (offset === size) return;
      if (before !== undefined) piece = nextPiece(piece, performance.now() - started);
      arrived = offset;
      continue;
    }
    throwIfFinal(answer);
    arrived = undefined;
    if (performance.now() - lastProgress > patienceMs) {
      throw new CliError(`The upload stands still: ${answer.message} The same command resumes it later.`);
    }
    if (tries > 0) onWaiting(); // a single fault isn't worth telling
    await backOff(tries++, signal);
  }
}

function append(request: TusRequest, content: Blob, offset: number, piece: number): Promise<TusAnswer> {
  return request({ method: "PATCH", offset, body: content.slice(offset, offset + piece) });
}

/** Throws for answers that trying again doesn't change. */
function throwIfFinal({ status, message }: TusAnswer): void {
  if (status === 404 || status === 410) throw new UploadGone(message);
  if (status === 507) throw new CliError(`The server has no room for the video: ${message}`);
  // 409: our offset is old; 423: a connection of before still holds the upload; 408, 429 and 5xx: later.
  const passing = status < 300 || status >= 500 || [408, 409, 423, 429].includes(status);
  if (!passing) throw new CliError(`The server refuses the upload: ${message}`);
}

/** The next piece's length, at most twice and at least half of this one's. */
export function nextPiece(bytes: number, ms: number): number {
  const factor = Math.min(2, Math.max(0.5, pieceMs / Math.max(1, ms)));
  return Math.round(Math.min(maxPiece, Math.max(minPiece, bytes * factor)));
}
