/** What a fuzzer found: each failure says what is wrong and how to see it again. */
export type Outcome = { cases: number; failures: string[] };

/** How long to go on, and with what. */
export type FuzzOptions = { seed: number; seconds: number /** Only this case. */; only?: number | undefined };

/** A failure as text that repeats it. */
export function failure(what: string, options: FuzzOptions, fuzzer: string, index: number, bytes?: Uint8Array): string {
  const again = `npm run fuzz -- --seed ${options.seed} --fuzzer ${fuzzer} --case ${index}`;
  return `${what}\n  again: ${again}${bytes === undefined ? "" : `\n  bytes: ${Buffer.from(bytes).toString("hex")}`}`;
}

/** The numbers of the cases to run, until the time is over. */
export function* caseNumbers({ seconds, only }: FuzzOptions): Generator<number> {
  if (only !== undefined) {
    yield only;
    return;
  }
  const end = performance.now() + seconds * 1000;
  for (let index = 0; performance.now() < end; index++) {
    yield index;
  }
}
