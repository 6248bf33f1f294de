import { type FolderStore, type FolderStoreOptions, openFolderStore } from "./folder-store.ts";
import { openS3Store, type S3Store } from "./s3/s3-store.ts";
import type { S3Settings } from "./s3/storage-url.ts";

/** The store of an installation; what only one of the kinds can do goes by its kind. */
export type Storage = { kind: "folder"; store: FolderStore } | { kind: "s3"; store: S3Store };

/** Where an installation's objects are: in the bucket if there is one, else in the folder. */
export type StorageOptions = { s3: S3Settings | undefined; folder: FolderStoreOptions; signal?: AbortSignal };

/** Opens the store of an installation. */
export async function openStorage({ s3, folder, signal }: StorageOptions): Promise<Storage> {
  return s3 === undefined
    ? { kind: "folder", store: await openFolderStore(folder) }
    : { kind: "s3", store: await openS3Store(s3, signal) };
}
