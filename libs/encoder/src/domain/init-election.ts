/** Tracks' initialisation segments by the SHA-256 of each, in hex. */
export type Inits = Readonly<Record<string, string>>;

/** A codec configuration that was refused, and the workers that came with it. */
export type Dissent = { inits: Inits; workers: string[] };

/** What is on record of an encode's configuration: how many workers have made the chunks that have it, and what was refused. */
export type Standing = { inits: Inits; supporters: number; dissents: readonly Dissent[] };

/**
 * What becomes of a configuration that isn't the encode's, and what is on record from now on. `elected`: it is the encode's, and chunks that have the one before must be made again. `refused`:
 * `track` is the first that differs.
 */
export type Verdict = { inits: Inits; dissents: readonly Dissent[] } & (
  | { outcome: "elected" }
  | { outcome: "refused"; track: string }
);

/** Different configurations that are remembered, and workers for each: a fleet has a few releases at a time. */
const mostDissents = 8;
const mostWorkers = 64;

/** An encode's configuration with what a chunk adds to it: the same object if that is nothing. Undefined if they differ. */
export function joinInits(inits: Inits, brought: Inits): Inits | undefined {
  if (differing(inits, brought) !== undefined) return undefined;
  return Object.keys(brought).every((name) => Object.hasOwn(inits, name)) ? inits : { ...brought, ...inits };
}

/**
 * All chunks of a stream must have one codec configuration. The first chunk's is as good as any, until more workers agree on another one than have made chunks with it: then the first was the odd one. By workers, and not by
 * chunks, since one that is odd brings as many odd chunks as it is given. `brought` must differ from what is on record.
 */
export function electInits({ inits, supporters, dissents }: Standing, worker: string, brought: Inits): Verdict {
  const before = dissents.find((dissent) => isSame(dissent.inits, brought));
  const workers = [...new Set([...(before?.workers ?? []), worker])].slice(-mostWorkers);
  if (workers.length > supporters) return { outcome: "elected", inits: brought, dissents: [] };
  const others = dissents.filter((dissent) => dissent !== before);
  const track = differing(inits, brought) ?? "";
  return { outcome: "refused", track, inits, dissents: [...others, { inits: brought, workers }].slice(-mostDissents) };
}

const differing = (inits: Inits, brought: Inits) =>
  Object.keys(brought).find((name) => Object.hasOwn(inits, name) && inits[name] !== brought[name]);

function isSame(one: Inits, other: Inits): boolean {
  const tracks = Object.keys(one);
  return tracks.length === Object.keys(other).length && tracks.every((track) => one[track] === other[track]);
}
