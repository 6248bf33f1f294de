const mebibyte = 1024 * 1024;
/** A part has at least this many bytes, except the last; S3 demands 5 MiB. */
const leastBytes = 8 * mebibyte;
/** S3 allows 10,000. */
const mostParts = 9_000;

/** The length of each part but the last of an upload of so many bytes: all the same, which some servers demand. */
export function partBytesFor(sizeBytes: number): number {
  return Math.max(leastBytes, Math.ceil(sizeBytes / mostParts / mebibyte) * mebibyte);
}
