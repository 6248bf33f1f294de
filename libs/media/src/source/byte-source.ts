import { type FileHandle, open } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { TaskError } from "../task-error.ts";

/** A file somewhere, readable at any place. Every failure is a `TaskError` of kind `machine`: not reaching the source says nothing about it. */
export type ByteSource = {
  /** Length in bytes. */
  size: number;
  /** Up to `length` bytes from `position`: at least one, unless it is the end. The bytes must not be changed. */
  read(position: number, length: number): Promise<Buffer>;
  close(): Promise<void>;
};

/** Opens a source: an http(s) address that answers range requests, or a file's path. An address may change on the way, for one that lasts longer: then it is a function. */
export function openByteSource(sourceUrl: string | (() => string), options: HttpOptions = {}): Promise<ByteSource> {
  const current = typeof sourceUrl === "string" ? () => sourceUrl : sourceUrl;
  return /^https?:\/\//i.test(current()) ? openHttp(current, options) : openFile(current());
}

async function openFile(path: string): Promise<ByteSource> {
  let file: FileHandle;
  try {
    file = await open(path);
  } catch (error) {
    throw new TaskError("machine", `The source cannot be read: ${messageOf(error)}.`, { cause: error });
  }
  return {
    size: (await file.stat()).size,
    async read(position, length) {
      const bytes = Buffer.allocUnsafe(length);
      const { bytesRead } = await file.read(bytes, 0, length, position);
      return bytes.subarray(0, bytesRead);
    },
    close: () => file.close(),
  };
}

/** How a source is read over HTTP; the defaults suit everything but tests. */
export type HttpOptions = {
  /** Bytes of one request. */
  blockBytes?: number;
  /** Blocks kept: demuxers go back and forth between places, such as an index and the data. */
  blocks?: number;
  /** A request that takes longer is given up. */
  timeoutMs?: number;
  /** Waiting times before each further try. */
  retryMs?: number[];
};

async function openHttp(url: () => string, options: HttpOptions): Promise<ByteSource> {
  const {
    blockBytes = 4 << 20,
    blocks: maxBlocks = 8,
    timeoutMs = 60_000,
    retryMs = [250, 1000, 3000, 6000],
  } = options;
  const request = { url, timeoutMs, retryMs };
  const first = await fetchRange(request, 0, blockBytes);
  const blocks = new Map<number, Promise<Buffer>>([[0, Promise.resolve(first.bytes)]]);
  const { size } = first;

  const block = (index: number): Promise<Buffer> => {
    const known = blocks.get(index);
    // Re-inserted, so that the map's order is that of the last use.
    blocks.delete(index);
    const bytes = known ?? fetchRange(request, index * blockBytes, blockBytes, size).then((part) => part.bytes);
    blocks.set(index, bytes);
    if (!known) bytes.catch(() => blocks.delete(index));
    for (const oldest of blocks.keys()) {
      if (blocks.size <= maxBlocks) break;
      blocks.delete(oldest);
    }
    return bytes;
  };

  let before = 0;
  return {
    size,
    async read(position, length) {
      if (position >= size) return Buffer.alloc(0);
      const index = Math.floor(position / blockBytes);
      const bytes = await block(index);
      // Reading in order: have the next block on its way.
      if ((index === before || index === before + 1) && (index + 1) * blockBytes < size)
        block(index + 1).catch(() => {});
      before = index;
      const from = position - index * blockBytes;
      return bytes.subarray(from, from + length);
    },
    close: async () => blocks.clear(),
  };
}

type RangeRequest = { url: () => string; timeoutMs: number; retryMs: number[] };

/** Reads a range and learns the whole length. `size` is the length as already known: a source that changes can't be encoded. */
async function fetchRange(request: RangeRequest, start: number, length: number, size?: number) {
  for (let attempt = 0; ; attempt++) {
    try {
      return await fetchRangeOnce(request, start, length, size);
    } catch (error) {
      const wait = request.retryMs[attempt];
      const final = error instanceof TaskError;
      if (final) throw error;
      if (wait === undefined) {
        throw new TaskError("machine", `The source cannot be read: ${messageOf(error)}.`, { cause: error });
      }
      await delay(wait);
    }
  }
}

async function fetchRangeOnce(
  { url, timeoutMs }: RangeRequest,
  start: number,
  length: number,
  size?: number,
): Promise<{ bytes: Buffer; size: number }> {
  const end = Math.min(start + length, size ?? Number.POSITIVE_INFINITY) - 1;
  const response = await fetch(url(), {
    headers: { range: `bytes=${start}-${end}`, "accept-encoding": "identity" },
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (response.status === 206) {
    const range = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(response.headers.get("content-range") ?? "");
    const total = Number(range?.[3]);
    if (!range || Number(range[1]) !== start || (size !== undefined && size !== total)) {
      throw new TaskError("machine", "The source answers with another part than it was asked for.");
    }
    const bytes = Buffer.from(await response.arrayBuffer());
    const expected = Math.min(end + 1, total) - start;
    if (bytes.length !== expected) throw new Error(`the answer has ${bytes.length} bytes instead of ${expected}`);
    return { bytes, size: total };
  }
  await response.body?.cancel();
  // An empty file has no first byte to give.
  if (start === 0 && (response.status === 416 || isEmpty(response))) return { bytes: Buffer.alloc(0), size: 0 };
  if (response.status >= 500 || response.status === 429 || response.status === 408) {
    throw new Error(`its server answers ${response.status}`);
  }
  throw new TaskError(
    "machine",
    response.status === 200
      ? "The source's server does not answer range requests."
      : `The source cannot be read: its server answers ${response.status}.`,
  );
}

function isEmpty(response: Response): boolean {
  return response.ok && response.headers.get("content-length") === "0";
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // fetch says only "fetch failed"; what happened is in its cause.
  return error.cause instanceof Error ? error.cause.message : error.message;
}
