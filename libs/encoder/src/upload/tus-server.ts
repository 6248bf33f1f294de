import { FileStore } from "@tus/file-store";
import { Server, Upload } from "@tus/server";
import type { Context } from "../context.ts";
import { findVideo } from "../store/video.store.ts";
import { settleUpload } from "./settle-upload.ts";
import { TusError } from "./tus-error.ts";
import { createUploadLocker } from "./upload-lock.ts";
import type { Uploads } from "./uploads.ts";
import { writeUpload } from "./write-upload.ts";

/** How long a request may go on after another one has asked for its upload, in milliseconds. */
const drainMs = 1_000;
/** How long a request waits for its upload, in milliseconds. */
const lockMs = 15_000;

/** The tus protocol over the uploads' files. What an upload is, the database knows; the file's length is its offset. */
export function createTusServer(context: Context, uploads: Uploads): Server {
  const datastore = new FileStore({
    directory: uploads.folder,
    configstore: {
      async get(id) {
        const video = await findVideo(context.db, id);
        return video && new Upload({ id, size: video.sizeBytes, offset: 0 });
      },
      async set() {},
      async delete() {},
    },
  });
  datastore.write = (body, id, offset) => writeUpload(uploads.path(id), body, offset);
  return new Server({
    path: "/uploads",
    datastore,
    locker: createUploadLocker(lockMs),
    lockDrainTimeout: drainMs,
    async onUploadFinish(_request, upload) {
      const video = await findVideo(context.db, upload.id);
      if (video === undefined) throw new TusError(404, "The video was deleted.");
      await settleUpload(context, uploads, video);
      return {};
    },
    onResponseError(_request, error) {
      if (error instanceof Error && !("status_code" in error)) {
        context.logger.error({ err: error }, "an upload request failed");
        return { status_code: 500, body: "The upload couldn't be written. Try again.\n" };
      }
      return undefined;
    },
  });
}
