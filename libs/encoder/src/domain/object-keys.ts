/** Everything of a video. */
export function videoPrefix(videoId: string): string {
  return `videos/${videoId}/`;
}

/** The uploaded file of a video. */
export function sourceKey(videoId: string): string {
  return `videos/${videoId}/source`;
}

/** What has arrived of a video's upload and isn't in a part yet, with an S3 server. */
export function uploadPrefix(videoId: string): string {
  return `uploads/${videoId}/`;
}

/** Everything that an encode made. */
export function encodePrefix(videoId: string, encodeId: string): string {
  return `videos/${videoId}/${encodeId}/`;
}

/** What one attempt at an encode wrote. Attempts never share files: two workers that both believe to own a task can't mix theirs. */
export function streamPrefix(videoId: string, encodeId: string, attempt: number): string {
  return `videos/${videoId}/${encodeId}/${attempt}/`;
}
