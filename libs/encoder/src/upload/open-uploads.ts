import type { Logger } from "@kinora/rpc";
import type { Storage } from "@kinora/storage";
import type { EncoderDb } from "../store/db.ts";
import { openFolderUploads } from "./folder-uploads.ts";
import { openS3Uploads, type S3Uploads } from "./s3-uploads.ts";
import type { Uploads } from "./uploads.ts";

/** Opens the uploads of an installation's kind of storage; those into an S3 server can be sent to it directly as well. */
export async function openUploads(
  storage: Storage,
  deps: { db: EncoderDb; folder: string; logger: Logger },
): Promise<{ uploads: Uploads; s3: S3Uploads | undefined }> {
  if (storage.kind === "folder") {
    return { uploads: await openFolderUploads(deps.folder, storage.store), s3: undefined };
  }
  const s3 = await openS3Uploads({ ...deps, storage: storage.store });
  return { uploads: s3, s3 };
}
