import type { ServerHttp2Stream } from "node:http2";

/** How far a stream has come, counted from when somebody began to look. */
export type StreamProgress = { received: number; sent: number };

/**
 * Counts what moves on a stream: chunks that arrive, and writes that begin, each of which means that the one before is done. Node counts neither by stream, and
 * a listener for "data" would make the stream flow, so this steps between the stream and its machinery. Only for streams that are looked at twice.
 */
export function countProgress(stream: ServerHttp2Stream): StreamProgress {
  const progress = { received: 0, sent: 0 };
  const { push, _write: write, _writev: writev } = stream;
  stream.push = (chunk, encoding) => {
    progress.received++;
    return push.call(stream, chunk, encoding);
  };
  stream._write = (chunk, encoding, callback) => {
    progress.sent++;
    write.call(stream, chunk, encoding, callback);
  };
  stream._writev = (chunks, callback) => {
    progress.sent++;
    writev?.call(stream, chunks, callback);
  };
  return progress;
}
