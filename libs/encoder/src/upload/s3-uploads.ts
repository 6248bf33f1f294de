import { mkdir } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import type { Logger } from "@kinora/rpc";
import { isPartWrong, isUploadGone, type Part, type S3Store, s3Fault } from "@kinora/storage";
import { sourceKey, uploadPrefix } from "../domain/object-keys.ts";
import type { EncoderDb } from "../store/db.ts";
import {
  deleteUpload,
  findReceived,
  findUpload,
  insertUpload,
  listUploads,
  moveUpload,
  replaceParts,
  type UploadMark,
  type UploadRecord,
} from "../store/upload.store.ts";
import { partBytesFor } from "./part-length.ts";
import { openPartSpool, type PartSpool } from "./part-spool.ts";
import { createSlots } from "./slots.ts";
import { isSizeExceeded, TusError, tusFault } from "./tus-error.ts";
import type { UploadedVideo, Uploads } from "./uploads.ts";

/** Uploads into an S3 server. */
export type S3Uploads = Uploads & {
  /** Begins an upload, or finds the one under way. Undefined if the video is gone or complete. */
  begin(video: UploadedVideo): Promise<UploadRecord | undefined>;
  /** An address to PUT a part of just this length to. */
  signPart(upload: UploadRecord, part: { number: number; bytes: number }, seconds: number): Promise<string>;
  /** The parts that the server has, whoever sent them. */
  listParts(upload: UploadRecord): Promise<Part[]>;
  /** Takes parts that were sent past us for those of the upload. */
  adoptParts(upload: UploadRecord, parts: readonly Part[]): Promise<void>;
};

/** Parts that are in memory on their way to the server at the same time. */
const partsInMemory = 8;
/** One request to the server, and what must be saved of an upload when its client has gone or this process stops, in milliseconds. */
const putMs = 60_000;
/** Some servers copy all parts when an upload is completed. */
const completeMs = 300_000;
const sourceType = "application/octet-stream";

/**
 * Uploads as multipart uploads of the videos' sources. A part is written when enough bytes have come; what is left at the end of a request, its tail, is an
 * object of its own that the next request begins with. The database says what was received, so any replica can go on.
 */
export async function openS3Uploads(deps: {
  storage: S3Store;
  db: EncoderDb;
  /** A folder for bytes on their way. */
  folder: string;
  logger: Logger;
}): Promise<S3Uploads> {
  const { storage, db, folder, logger } = deps;
  const { multipart } = storage;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const slots = createSlots(partsInMemory);
  const objectOf = (videoId: string) => storage.bucketKey(sourceKey(videoId));
  const limit = () => AbortSignal.timeout(putMs);

  async function begin(video: UploadedVideo): Promise<UploadRecord | undefined> {
    const found = await findUpload(db, video.id);
    if (found !== undefined) return found;
    const multipartId = await multipart.begin(objectOf(video.id), sourceType, limit());
    const partBytes = partBytesFor(video.sizeBytes);
    if (!(await insertUpload(db, { videoId: video.id, multipartId, partBytes }))) {
      await multipart.abort(objectOf(video.id), multipartId);
    }
    return await findUpload(db, video.id);
  }

  async function move(
    upload: UploadRecord,
    from: UploadMark,
    to: Parameters<typeof moveUpload>[3],
  ): Promise<UploadMark> {
    if (!(await db.transact(undefined, (tx) => moveUpload(tx, upload, from, to)))) {
      throw new TusError(409, "Another request has sent bytes of this upload meanwhile.");
    }
    return { parts: to.part?.number ?? to.parts ?? from.parts, tailBytes: to.tailBytes };
  }

  async function putPart(upload: UploadRecord, number: number, spool: PartSpool) {
    await using _slot = await slots.take();
    return await multipart.put(objectOf(upload.videoId), upload.multipartId, number, await spool.read(), limit());
  }

  /** Brings what an earlier request left into the spool. */
  async function readTail(upload: UploadRecord, start: number, spool: PartSpool): Promise<void> {
    if (upload.tailBytes === 0) return;
    const range = { start: 0, end: upload.tailBytes - 1 };
    const tail = await storage.get(tailKey(upload.videoId, start), { range, signal: limit() });
    if (tail === undefined) throw new Error(`The tail of upload ${upload.videoId} at ${start} is gone.`);
    await spool.add(await buffer(tail.body));
  }

  async function write(video: UploadedVideo, body: AsyncIterable<Uint8Array>, offset: number): Promise<number> {
    const upload = await begin(video);
    if (upload === undefined) throw new TusError(404, "The video was deleted.");
    const first: UploadMark = { parts: upload.parts.length, tailBytes: upload.tailBytes };
    let mark = first;
    // Bytes in parts; what is in the spool comes after them.
    let start = upload.parts.reduce((sum, part) => sum + part.bytes, 0);
    if (start + upload.tailBytes !== offset) throw new TusError(409, "Bytes have arrived meanwhile.");
    await using spool = await openPartSpool(folder);
    await readTail(upload, start, spool);

    const save = async () => {
      const length = Math.min(upload.partBytes, video.sizeBytes - start);
      if (length > 0 && spool.bytes === length) {
        mark = await move(upload, mark, { part: await putPart(upload, mark.parts + 1, spool), tailBytes: 0 });
        start += length;
        spool.clear();
      } else if (spool.bytes !== mark.tailBytes) {
        await using _slot = await slots.take();
        await storage.put(tailKey(video.id, start), await spool.read(), { signal: limit() });
        mark = await move(upload, mark, { tailBytes: spool.bytes });
      }
    };

    try {
      for await (const chunk of body) {
        for (let rest = chunk; rest.length > 0; ) {
          const room = Math.min(upload.partBytes, video.sizeBytes - start) - spool.bytes;
          if (room <= 0) throw new TusError(413, `The video has ${video.sizeBytes} bytes: there is no room for more.`);
          await spool.add(rest.subarray(0, room));
          if (rest.length >= room) await save();
          rest = rest.subarray(room);
        }
      }
    } catch (error) {
      if (isSizeExceeded(error)) await move(upload, mark, first);
      else if (!(error instanceof TusError)) await save().catch(() => {}); // the error of the body is what counts
      throw error;
    }
    await save();
    return start + spool.bytes;
  }

  async function remove(videoId: string, signal?: AbortSignal): Promise<void> {
    const upload = await findUpload(db, videoId);
    if (upload !== undefined) await multipart.abort(objectOf(videoId), upload.multipartId, signal);
    await storage.deletePrefix(uploadPrefix(videoId), signal);
    await deleteUpload(db, videoId);
  }

  return {
    begin,
    remove,
    signPart: (upload, part, seconds) => multipart.sign(objectOf(upload.videoId), upload.multipartId, part, seconds),
    listParts: async ({ videoId, multipartId }) =>
      (await multipart.list(objectOf(videoId), multipartId, limit())) ?? [],
    adoptParts: (upload, parts) => db.transact(undefined, (tx) => replaceParts(tx, upload, parts)),
    received: async (videoId) => (await findReceived(db, videoId))?.bytes ?? 0,
    lastWrite: async (videoId) => (await findReceived(db, videoId))?.touchedAt,

    async write(video, body, offset) {
      try {
        return await write(video, body, offset);
      } catch (error) {
        throw tusFault(error);
      }
    },

    async finish(video) {
      if (video.sizeBytes === 0) return (await storage.put(sourceKey(video.id), "", { signal: limit() })).bytes === 0;
      const upload = await findUpload(db, video.id);
      const bytes = upload?.parts.reduce((sum, part) => sum + part.bytes, 0);
      if (upload === undefined || bytes !== video.sizeBytes) return false;
      try {
        await multipart.complete(objectOf(video.id), upload.multipartId, upload.parts, AbortSignal.timeout(completeMs));
        return true;
      } catch (error) {
        // Somebody else may have completed it.
        if (isUploadGone(error) && (await storage.stat(sourceKey(video.id)))?.bytes === video.sizeBytes) return true;
        if (!isUploadGone(error) && !isPartWrong(error)) throw s3Fault(error);
        // Parts were removed or overwritten behind our back (by a rule of the bucket, say): it can only begin again.
        logger.warn(
          { videoId: video.id, reason: (error as Error).name },
          "the storage server lost an upload; it begins again",
        );
        await remove(video.id);
        return false;
      }
    },

    list: () => listUploads(db),
    room: async () => undefined,
  };
}

/** Where the bytes lie that came after the parts of `start` bytes in all and aren't enough for another one. */
function tailKey(videoId: string, start: number): string {
  return `${uploadPrefix(videoId)}tail-${start}`;
}
