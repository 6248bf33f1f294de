/** Objects: a folder that is written atomically and served by signed addresses, or a bucket of an S3 server, behind one type. */
export { answerText } from "./answer-text.ts";
export { type FolderStore, type FolderStoreOptions, openFolderStore } from "./folder-store.ts";
export type { HttpRequest, HttpResponse } from "./http-message.ts";
export { isKey } from "./key.ts";
export { objectRoute } from "./object-route.ts";
export {
  type ByteRange,
  InvalidKeyError,
  LengthMismatchError,
  type ObjectBody,
  type ObjectStat,
  type ObjectStore,
  type SignOptions,
  StorageFullError,
  StorageUnavailableError,
} from "./object-store.ts";
export { openStorage, type Storage, type StorageOptions } from "./open-storage.ts";
export { pathOf, queryOf } from "./request-path.ts";
export { bodyParts } from "./s3/body-parts.ts";
export type { Multipart, Part } from "./s3/multipart.ts";
export { isPartWrong, isUploadGone, s3Fault } from "./s3/s3-fault.ts";
export { openS3Store, type S3Store } from "./s3/s3-store.ts";
export { parseStorageUrl, type S3Settings, storageUrl } from "./s3/storage-url.ts";
export { serveObject } from "./serve-object.ts";
export { storageFault } from "./storage-fault.ts";
