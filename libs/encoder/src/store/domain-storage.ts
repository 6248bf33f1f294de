import { DomainError } from "@kinora/rpc";
import { type ObjectStore, StorageUnavailableError } from "@kinora/storage";

/** An error of the storage as callers should see it: `unavailable` while its server can't be reached or refuses us; others stay as they are. */
export function storageDomainFault(error: unknown): unknown {
  return error instanceof StorageUnavailableError
    ? new DomainError("unavailable", "The storage can't be reached at this moment. Try again.", {
        cause: error,
        retryAfterSeconds: 2,
      })
    : error;
}

/** A store whose errors are the domain's. */
export function domainStorage(store: ObjectStore): ObjectStore {
  const mapped =
    <A extends unknown[], R>(act: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      try {
        return await act(...args);
      } catch (error) {
        throw storageDomainFault(error);
      }
    };
  return {
    put: mapped(store.put),
    get: mapped(store.get),
    stat: mapped(store.stat),
    deletePrefix: mapped(store.deletePrefix),
    sign: mapped(store.sign),
    signedSeconds: store.signedSeconds,
    async *list(prefix, signal) {
      try {
        yield* store.list(prefix, signal);
      } catch (error) {
        throw storageDomainFault(error);
      }
    },
  };
}
