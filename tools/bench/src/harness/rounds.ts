/** Something to measure once per round. */
export type Subject<Sample> = { name: string; measure(): Promise<Sample> };

/** What was measured, by subject. */
export type Samples<Sample> = ReadonlyMap<string, readonly Sample[]>;

/**
 * Measures all subjects once, then all again, and so on: what disturbs the machine for a while disturbs all of them. Each round begins with
 * another one, so that none always follows the same neighbour. The first `warmUps` rounds don't count.
 */
export async function interleave<Sample>(
  subjects: readonly Subject<Sample>[],
  { rounds, warmUps, signal }: { rounds: number; warmUps: number; signal: AbortSignal },
): Promise<Samples<Sample>> {
  const samples = new Map<string, Sample[]>(subjects.map(({ name }) => [name, []]));
  for (let round = -warmUps; round < rounds; round++) {
    for (const subject of rotate(subjects, round)) {
      signal.throwIfAborted();
      const sample = await subject.measure();
      if (round >= 0) {
        samples.get(subject.name)?.push(sample);
      }
    }
  }
  return samples;
}

function rotate<Item>(items: readonly Item[], by: number): Item[] {
  const start = items.length === 0 ? 0 : ((by % items.length) + items.length) % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}
