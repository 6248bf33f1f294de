import { DomainError } from "@kinora/rpc";
import type { Context } from "../context.ts";
import { findVideo, type VideoRecord } from "../store/video.store.ts";
import type { S3Uploads } from "./s3-uploads.ts";
import { settleUpload } from "./settle-upload.ts";

/** A signed address of a part is good for this long, in seconds. */
export const partSeconds = 6 * 3600;

/** A part of a video, and where to send it. */
export type SignedPart = { number: number; bytes: number; url: string };

/** Sending a video's bytes straight to the storage server. */
export type DirectUpload = {
  /** Addresses of up to `count` parts from `first` on, with the plan of all parts. */
  sign(
    video: VideoRecord,
    first: number,
    count: number,
  ): Promise<{ partBytes: number; total: number; parts: SignedPart[] }>;
  /** The numbers of the parts that have arrived whole. */
  arrived(video: VideoRecord): Promise<number[]>;
  /** Makes the source of the parts. Throws `failed_precondition` with the numbers of those that are missing. */
  complete(video: VideoRecord): Promise<void>;
};

/** Direct uploads of an installation with an S3 server. */
export function createDirectUpload(context: Context, uploads: S3Uploads): DirectUpload {
  const plan = (video: VideoRecord, partBytes: number) => ({
    total: Math.max(1, Math.ceil(video.sizeBytes / partBytes)),
    bytesOf: (number: number) => Math.min(partBytes, video.sizeBytes - (number - 1) * partBytes),
  });

  async function begin(video: VideoRecord) {
    const upload = await uploads.begin(video);
    if (upload === undefined) throw new DomainError("failed_precondition", "The video's upload is complete.");
    return upload;
  }

  async function arrivedParts(video: VideoRecord) {
    const upload = await begin(video);
    const { bytesOf, total } = plan(video, upload.partBytes);
    const parts = (await uploads.listParts(upload)).filter(
      ({ number, bytes }) => number <= total && bytes === bytesOf(number),
    );
    return { upload, parts, total };
  }

  return {
    async sign(video, first, count) {
      const upload = await begin(video);
      const { total, bytesOf } = plan(video, upload.partBytes);
      const numbers = Array.from(
        { length: Math.max(0, Math.min(count, total - first + 1)) },
        (_, index) => first + index,
      );
      const parts = numbers.map(async (number) => {
        const bytes = bytesOf(number);
        return { number, bytes, url: await uploads.signPart(upload, { number, bytes }, partSeconds) };
      });
      return { partBytes: upload.partBytes, total, parts: await Promise.all(parts) };
    },

    arrived: async (video) => (await arrivedParts(video)).parts.map(({ number }) => number),

    async complete(video) {
      if (video.state === "uploaded") return;
      const { upload, parts, total } = await arrivedParts(video);
      const there = new Set(parts.map(({ number }) => number));
      const missing = Array.from({ length: total }, (_, index) => index + 1).filter((number) => !there.has(number));
      if (missing.length > 0) {
        const shown = missing.slice(0, 20).join(", ") + (missing.length > 20 ? ", …" : "");
        throw new DomainError(
          "failed_precondition",
          `Of ${total} parts, ${missing.length} are missing or have another length: ${shown}.`,
        );
      }
      await uploads.adoptParts(upload, parts);
      if (await settleUpload(context, uploads, video)) return;
      const now = await findVideo(context.db, video.id);
      throw now === undefined
        ? new DomainError("not_found", `There is no video ${video.id}.`)
        : new DomainError("aborted", "Parts were lost. Ask for addresses again, and send all parts.");
    },
  };
}
