import { StorageFullError, StorageUnavailableError } from "../object-store.ts";

/** What the SDK's errors look like; nothing else of them is taken on, since they carry the request with its signature. */
type S3Error = Error & { $metadata?: { httpStatusCode?: number; requestId?: string } };

const fullCodes = new Set(["QuotaExceeded", "XMinioStorageFull", "XMinioStorageQuotaExceeded", "InsufficientCapacity"]);
const setUp: Readonly<Record<string, string>> = {
  NoSuchBucket: "The bucket of STORAGE_URL doesn't exist: make it, or correct its name.",
  AccessDenied:
    "The storage server refuses our keys for this bucket: they must be allowed to list the bucket, to read, write and delete its objects, and to list and abort multipart uploads.",
  InvalidAccessKeyId: "The storage server doesn't know our access key: check AWS_ACCESS_KEY_ID.",
  SignatureDoesNotMatch:
    "The storage server doesn't accept our signature: check AWS_SECRET_ACCESS_KEY, the region of STORAGE_URL and the clock.",
  RequestTimeTooSkewed: "The clock of this machine and that of the storage server differ too much.",
  PermanentRedirect: "The bucket is in another region than STORAGE_URL says.",
  CredentialsProviderError:
    "There are no keys for the storage server: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give this machine a role.",
};

/** Whether the server says that there is no such object. */
export function isAbsent(error: unknown): boolean {
  return error instanceof Error && (error.name === "NoSuchKey" || error.name === "NotFound");
}

/** Whether the server says that there is no such multipart upload: it is completed, or was aborted. */
export function isUploadGone(error: unknown): boolean {
  return error instanceof Error && error.name === "NoSuchUpload";
}

/** Whether the server says that a part isn't there, or isn't the one that was named. */
export function isPartWrong(error: unknown): boolean {
  return error instanceof Error && /^(InvalidPart|InvalidPartOrder|EntityTooSmall)$/.test(error.name);
}

/**
 * An error of the SDK as callers should see it: `StorageFullError`, or `StorageUnavailableError` with a sentence for the operator. An abort stays
 * what it was.
 */
export function s3Fault(error: unknown, signal?: AbortSignal): unknown {
  if (signal?.aborted) return signal.reason;
  if (!(error instanceof Error)) return error;
  const { name, message, $metadata } = error as S3Error;
  const isAnswer = $metadata?.httpStatusCode !== undefined;
  const reason = isAnswer ? `${name}, status ${$metadata.httpStatusCode}, request ${$metadata.requestId}` : name;
  if (fullCodes.has(name) || $metadata?.httpStatusCode === 507) {
    return new StorageFullError(`The storage server has no room left (${reason}). Make room, then try again.`);
  }
  const advice = setUp[name];
  if (advice !== undefined) return new StorageUnavailableError(`${advice} (${reason})`);
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  if (isAnswer || code !== undefined || /Timeout|ECONN|socket|network/i.test(`${name} ${message}`)) {
    return new StorageUnavailableError(
      `The storage server ${isAnswer ? "answered with an error" : "can't be reached"} (${code ?? reason}).`,
    );
  }
  return error;
}
