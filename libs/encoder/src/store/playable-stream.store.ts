import type { EncodeState } from "../domain/encode-state.ts";
import type { Db } from "./db.ts";

/** A stream that can be played, whole or from its beginning. */
export type PlayableStream = {
  encodeId: string;
  videoId: string;
  /** Whether it is whole. */
  whole: boolean;
  /** Whether nothing of it changes any more: until it has passed its verification, chunks may be made again. */
  final: boolean;
  chunked: boolean;
  /** Counts how often its encode has begun, from 1. */
  edition: number;
  /** When its beginning could be played first. An encode that begins anew withdraws its stream, and has another one later. */
  since: Date | undefined;
  /** Where the files lie of a stream that isn't made of many tasks. */
  prefix: string;
};

/** The stream of a video, or one of its encodes' streams; undefined if there is none to play. */
export async function findPlayableStream(
  db: Db,
  videoId: string,
  encodeId?: string,
): Promise<PlayableStream | undefined> {
  const { rows } = await db.query<{
    id: string;
    state: EncodeState;
    chunked: boolean;
    edition: number;
    playable_at: Date | null;
    stream_prefix: string | null;
  }>(
    `SELECT e.id, e.state, e.chunked, e.edition, e.playable_at, e.stream_prefix FROM encodes e JOIN videos v ON v.id = e.video_id
     WHERE v.id = $1 AND e.id = coalesce($2, v.published_encode_id)
       AND (e.state = 'succeeded' OR (e.playable_at IS NOT NULL AND e.state IN ('planning', 'planned', 'encoding', 'verifying')))`,
    [videoId, encodeId ?? null],
  );
  const [row] = rows;
  return (
    row && {
      encodeId: row.id,
      videoId,
      whole: row.state === "succeeded" || row.state === "verifying",
      final: row.state === "succeeded",
      chunked: row.chunked,
      edition: row.edition,
      since: row.playable_at ?? undefined,
      prefix: row.stream_prefix ?? "",
    }
  );
}
