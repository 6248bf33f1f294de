import type { TaskKind } from "./task-kind.ts";

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

/** What one attempt at a whole encode of an earlier release wrote. */
export function streamPrefix(videoId: string, encodeId: string, attempt: number): string {
  return `videos/${videoId}/${encodeId}/${attempt}/`;
}

/** What one attempt at a task wrote. Attempts never share files: two workers that both believe to own a task can't mix theirs. */
export function taskPrefix(videoId: string, encodeId: string, taskId: string, attempt: number): string {
  return `videos/${videoId}/${encodeId}/${taskId}/${attempt}/`;
}

/** What all attempts at a task wrote. */
export function attemptsPrefix(encode: { id: string; videoId: string }, taskId: string): string {
  return `videos/${encode.videoId}/${encode.id}/${taskId}/`;
}

/** Where an attempt at a task of any kind may write. */
export function attemptPrefix(
  encode: { id: string; videoId: string },
  task: { id: string; kind: TaskKind; attempt: number },
): string {
  return task.kind === "encode"
    ? streamPrefix(encode.videoId, encode.id, task.attempt)
    : taskPrefix(encode.videoId, encode.id, task.id, task.attempt);
}
