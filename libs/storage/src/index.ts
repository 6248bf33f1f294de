/** Objects: a folder that is written atomically and served by signed addresses, behind a type that S3 can implement as well. */
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
} from "./object-store.ts";
export { pathOf, queryOf } from "./request-path.ts";
export { serveObject } from "./serve-object.ts";
export { storageFault } from "./storage-fault.ts";
