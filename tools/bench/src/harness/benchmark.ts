import type { Machine } from "./machine.ts";
import type { Table } from "./table.ts";
import type { Target } from "./target.ts";

/** How to measure. */
export type Conditions = {
  machine: Machine;
  /** Everything as short as it can be: it shows that the benchmark works, its figures mean nothing. */
  quick: boolean;
  rounds: number;
  /** The cores for what is measured and for what loads it; undefined where they can't be had. */
  serverCore: number | undefined;
  loadCore: number | undefined;
  signal: AbortSignal;
  /** Says what is going on. */
  note(line: string): void;
  /** Shows figures as soon as they are there. */
  show(table: Table): void;
};

/** What was measured. `results` is whatever the tables were made from. */
export type Outcome = { targets: Target[]; results: unknown };

/** A part of a benchmark that can run alone (`--only`). Rejects when it could not measure. */
export type Part = { name: string; about: string; run(conditions: Conditions): Promise<Outcome> };

/** A benchmark: `npm run bench -- NAME`. */
export type Benchmark = { name: string; about: string; parts: readonly Part[] };
