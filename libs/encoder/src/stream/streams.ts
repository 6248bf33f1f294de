import type { EncodePlan, StreamOptions, StreamResult } from "@kinora/media";
import { segmentSlack } from "@kinora/media";
import { EncodePlanSchema, StreamResultSchema } from "@kinora/proto-encoder";
import { fromStored } from "../messages/stored-json.ts";
import { createShortMemory } from "../short-memory.ts";
import type { Db } from "../store/db.ts";
import { findEncode } from "../store/encode.store.ts";
import { findEncodeDetails } from "../store/encode-details.store.ts";
import { listOutputs } from "../store/task-result.store.ts";
import { growingStream } from "./assemble-stream.ts";
import { readOutputs } from "./read-outputs.ts";

/** A stream of many tasks as it can be played now, and how its playlists are to be written. */
export type Stream = { result: StreamResult; options: StreamOptions };

/** Reads streams of many tasks. Their playlists are made when they are asked for, so that no file is ever half written, or left behind. */
export type Streams = {
  /** The stream of an encode that can be played, whole or as far as it is made; undefined if there is nothing to play. */
  find(encode: { id: string; whole?: boolean; final?: boolean }): Promise<Stream | undefined>;
};

/** A growing stream is read anew after this time, in milliseconds: everybody who watches asks for it every few seconds. */
const freshMs = 1_000;
/** Streams kept in memory. */
const most = 200;
/** A source's length is limited to a day, so that whatever is listed has been available since the day before. */
const dayMs = 24 * 3600 * 1000;

/** Makes a reader with a small memory. */
export function createStreams(db: Db): Streams {
  const memory = createShortMemory<Stream | undefined>(most);
  return {
    find({ id, whole = false, final = false }) {
      return memory.get(`${id} ${whole} ${final}`, final ? dayMs : freshMs, () => readStream(db, id, whole));
    },
  };
}

async function readStream(db: Db, encodeId: string, whole: boolean): Promise<Stream | undefined> {
  const details = await findEncodeDetails(db, encodeId);
  const plan = fromStored(EncodePlanSchema, details?.plan);
  if (plan === undefined) return undefined;
  const targetSeconds = plan.segmentSeconds * (1 + segmentSlack);
  if (whole) {
    const result = fromStored(StreamResultSchema, details?.result);
    return result && { result, options: { targetSeconds } };
  }
  const result = growingStream(plan, readOutputs(await listOutputs(db, encodeId)));
  const encode = result && (await findEncode(db, encodeId));
  return encode && { result, options: { targetSeconds, growing: growingOptions(plan, encode.createdAt) } };
}

function growingOptions(plan: EncodePlan, createdAt: Date) {
  const renditions = plan.video?.renditions ?? [];
  return {
    availableSince: new Date(createdAt.getTime() - dayMs),
    maxBitrates: new Map(renditions.map((rendition) => [rendition.name, rendition.maxBitrate])),
  };
}
