/** What a fuzzer found: each failure says what is wrong and how to see it again. */
export type Outcome = { cases: number; failures: string[] };

/** How long to go on, and with what. */
export type FuzzOptions = { seed: number; seconds: number /** Only these cases. */; only?: CaseRange | undefined };

/** Cases by number, both ends included. */
export type CaseRange = { first: number; last: number };

// Longer inputs hide what is wrong with them; the case makes them again.
const shownBytes = 200;

/** A failure as text that repeats it: with the one case, or with all that may have had a part in it. */
export function failure(
  what: string,
  options: FuzzOptions,
  fuzzer: string,
  cases: number | CaseRange,
  bytes?: Uint8Array,
): string {
  const range = typeof cases === "number" ? cases : `${cases.first}-${cases.last}`;
  const again = `npm run fuzz -- --seed ${options.seed} --fuzzer ${fuzzer} --case ${range}`;
  const hex = bytes && Buffer.from(bytes.subarray(0, shownBytes)).toString("hex");
  const more = bytes && bytes.length > shownBytes ? ` and ${bytes.length - shownBytes} more` : "";
  return `${what}\n  again: ${again}${hex === undefined ? "" : `\n  bytes: ${hex}${more}`}`;
}

/** The cases that `--case 7` or `--case 400-799` names. */
export function parseCases(text: string): CaseRange {
  const [first = Number.NaN, last = first] = text.split("-").map(Number);
  if (!Number.isInteger(first) || !Number.isInteger(last) || last < first) {
    throw new Error(`--case is "${text}"; give a number, or two as 400-799`);
  }
  return { first, last };
}

/** The numbers of the cases to run, until the time is over. */
export function* caseNumbers({ seconds, only }: FuzzOptions): Generator<number> {
  if (only !== undefined) {
    for (let index = only.first; index <= only.last; index++) yield index;
    return;
  }
  const end = performance.now() + seconds * 1000;
  for (let index = 0; performance.now() < end; index++) {
    yield index;
  }
}
