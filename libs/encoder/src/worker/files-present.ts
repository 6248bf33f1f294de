import type { TrackResult } from "@kinora/media";
import type { ObjectStore } from "@kinora/storage";

/** Objects below a prefix: path to length in bytes. */
export async function filesPresent(
  storage: ObjectStore,
  prefix: string,
  signal: AbortSignal,
): Promise<Map<string, number>> {
  const present = new Map<string, number>();
  for await (const { key, bytes } of storage.list(prefix, signal)) present.set(key.slice(prefix.length), bytes);
  return present;
}

/** The first file of a track that is missing or of another length, in a sentence; its segments are numbered from `firstSegment`. */
export function missingFile(
  track: TrackResult,
  present: ReadonlyMap<string, number>,
  firstSegment: number,
): string | undefined {
  const wanted: [path: string, bytes: number][] = [
    [`${track.name}/init.mp4`, track.initBytes],
    ...track.segments.map(({ bytes }, index): [string, number] => [`${track.name}/${firstSegment + index}.m4s`, bytes]),
  ];
  for (const [path, bytes] of wanted) {
    const found = present.get(path);
    if (found === undefined) return `${path} was never uploaded.`;
    if (found !== bytes || found === 0) return `${path} has ${found} bytes instead of ${bytes}.`;
  }
  return undefined;
}
