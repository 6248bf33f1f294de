import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Benchmark, Conditions, Outcome } from "./benchmark.ts";
import { targetTable } from "./table.ts";

/** What ends up in `dist/bench/NAME.json`. */
export type Report = {
  benchmark: string;
  at: string;
  quick: boolean;
  machine: Conditions["machine"];
  results: Record<string, unknown>;
  targets: Outcome["targets"];
  failures: { part: string; error: string }[];
};

/**
 * Runs the parts one after the other, shows their tables and writes the report into `folder`. A part that could not measure is in `failures`; the others
 * run nevertheless. Rejects only when the signal aborts.
 */
export async function runBenchmark(
  benchmark: Benchmark,
  only: readonly string[],
  conditions: Conditions,
  folder: string,
): Promise<Report> {
  const report: Report = {
    benchmark: benchmark.name,
    at: new Date().toISOString(),
    quick: conditions.quick,
    machine: conditions.machine,
    results: {},
    targets: [],
    failures: [],
  };
  const wanted = benchmark.parts.filter(({ name }) => only.length === 0 || only.includes(name));
  for (const part of wanted) {
    conditions.note(`\n${part.name}: ${part.about}`);
    try {
      const outcome = await part.run(conditions);
      report.results[part.name] = outcome.results;
      report.targets.push(...outcome.targets);
    } catch (error) {
      conditions.signal.throwIfAborted();
      const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
      report.failures.push({ part: part.name, error: reason });
      conditions.note(`could not measure: ${reason}`);
    }
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, `${benchmark.name}.json`), `${JSON.stringify(report, undefined, 2)}\n`);
  }
  if (report.targets.length > 0) {
    conditions.show(targetTable(report.targets));
  }
  return report;
}
