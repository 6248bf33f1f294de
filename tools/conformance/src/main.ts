/**
 * `npm run conformance [-- server|client] [--filter PATTERN]… [--trace] [--verbose] [--minutes N] [--report FILE]` runs the official conformance suite of Connect
 * against libs/rpc: both sides, unless one is named. Fails unless every case passes.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { isGreen } from "./suite/outcome.ts";
import { prepare } from "./suite/prepare.ts";
import { type SuiteRun, toReport } from "./suite/report.ts";
import { cases, type Mode, runSuite } from "./suite/run-suite.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => stop.abort(new Error(`ended by ${signal}`)));
}

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      filter: { type: "string", multiple: true, default: [] },
      trace: { type: "boolean", default: false },
      verbose: { type: "boolean", default: false },
      minutes: { type: "string", default: "7" },
      report: { type: "string" },
    },
  });
  const modes = modesOf(positionals);
  const echo = (text: string) => void process.stdout.write(text);
  const shared = { env: process.env, echo, signal: stop.signal };
  const prepared = await prepare(root, shared);
  const runs: SuiteRun[] = [];
  for (const mode of modes) {
    echo(`\nThe conformance suite against the ${mode}:\n`);
    const milliseconds = Number(values.minutes) * 60_000;
    const outcome = await runSuite(mode, { ...values, ...shared, root, prepared, milliseconds });
    runs.push({ mode, outcome, expected: values.filter.length > 0 ? undefined : cases[mode] });
  }
  if (values.report !== undefined) {
    const path = resolve(root, values.report);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, JSON.stringify(toReport(runs)));
  }
  echo("\n");
  for (const { mode, outcome, expected } of runs) {
    const wanted = expected === undefined ? "" : ` of ${expected}`;
    echo(
      outcome === undefined
        ? `${mode}: the suite broke off\n`
        : `${mode}: ${outcome.passed}${wanted} passed, ${outcome.failed.length} failed, ${outcome.notRun} did not run\n`,
    );
  }
  process.exitCode = runs.every(({ outcome, expected }) => isGreen(outcome, expected)) ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

function modesOf(names: readonly string[]): Mode[] {
  const modes: Mode[] = ["server", "client"];
  const unknown = names.find((name) => !modes.some((mode) => mode === name));
  if (unknown !== undefined) {
    throw new Error(`"${unknown}" isn't a side of the suite: say "server" or "client", or neither for both`);
  }
  return names.length === 0 ? modes : modes.filter((mode) => names.includes(mode));
}
