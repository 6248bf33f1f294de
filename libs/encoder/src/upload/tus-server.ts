import { DataStore, ERRORS, Server, Upload } from "@tus/server";
import type { Context } from "../context.ts";
import { findVideo } from "../store/video.store.ts";
import { settleUpload } from "./settle-upload.ts";
import { TusError, tusFault } from "./tus-error.ts";
import { createUploadLocker } from "./upload-lock.ts";
import type { Uploads } from "./uploads.ts";

/** How long a request may go on after another one has asked for its upload, in milliseconds. */
const drainMs = 1_000;
/** How long a request waits for its upload, in milliseconds. */
const lockMs = 20_000;

/** The tus protocol over the uploads. What an upload is, the database knows. */
export function createTusServer(context: Context, uploads: Uploads): Server {
  const videoOf = async (id: string) => {
    const video = await findVideo(context.db, id);
    if (video === undefined) throw ERRORS.FILE_NOT_FOUND;
    return video;
  };
  const datastore = Object.assign(new DataStore(), {
    async getUpload(id: string) {
      const { state, sizeBytes: size } = await videoOf(id);
      // One that was complete a moment ago isn't among the uploads any more: it hasn't begun anew.
      return new Upload({ id, size, offset: state === "uploaded" ? size : await uploads.received(id) });
    },
    async write(body: AsyncIterable<Uint8Array>, id: string, offset: number) {
      return await uploads.write(await videoOf(id), body, offset);
    },
  });
  return new Server({
    path: "/uploads",
    datastore,
    locker: createUploadLocker(context.db, lockMs),
    lockDrainTimeout: drainMs,
    async onUploadFinish(_request, upload) {
      const video = await findVideo(context.db, upload.id);
      if (video === undefined) throw new TusError(404, "The video was deleted.");
      await settleUpload(context, uploads, video).catch((error: unknown) => {
        throw tusFault(error);
      });
      return {};
    },
    onResponseError(_request, error) {
      if (error instanceof TusError && error.status_code === 503)
        context.logger.warn({ err: error.cause }, error.message);
      if (error instanceof Error && !("status_code" in error)) {
        context.logger.error({ err: error }, "an upload request failed");
        return { status_code: 500, body: "The upload couldn't be written. Try again.\n" };
      }
      return undefined;
    },
  });
}
