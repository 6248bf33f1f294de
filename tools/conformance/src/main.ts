/**
 * `npm run conformance [-- server|client|http2] [--filter PATTERN]… [--trace] [--verbose] [--minutes N] [--report FILE] [--again]` runs the official conformance suite of Connect
 * against libs/rpc, both sides, and h2spec against its HTTP/2: all of it, unless something is named. Fails unless every case passes; with --again, as in CI, a case that failed is tried once more, because a shared
 * machine may stand still for seconds. A wrong one fails again.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { h2specCases, prepareH2spec } from "./http2/h2spec.ts";
import { runHttp2 } from "./http2/run-http2.ts";
import { isGreen, type Outcome } from "./suite/outcome.ts";
import { prepare } from "./suite/prepare.ts";
import { type SuiteRun, toReport } from "./suite/report.ts";
import { cases, type Mode, runSuite, type SuiteOptions } from "./suite/run-suite.ts";
import { casesToRepeat, withSecondTry } from "./suite/second-try.ts";

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
      again: { type: "boolean", default: Boolean(process.env.CI) },
    },
  });
  const modes = modesOf(positionals);
  const echo = (text: string) => void process.stdout.write(text);
  const shared = { env: process.env, echo, signal: stop.signal };
  const runs: SuiteRun[] = [];
  if (modes.includes("http2")) {
    const h2spec = await prepareH2spec(root, shared);
    echo("\nh2spec against the server:\n\n");
    runs.push({ mode: "http2", outcome: await runHttp2(h2spec, { ...shared, cwd: root }), expected: h2specCases });
  }
  const sides = modes.filter((mode) => mode !== "http2");
  for (const mode of sides) {
    const prepared = await prepare(root, shared);
    echo(`\nThe conformance suite against the ${mode}:\n`);
    const milliseconds = Number(values.minutes) * 60_000;
    const options = { ...values, ...shared, root, prepared, milliseconds };
    const first = await runSuite(mode, options);
    const outcome = values.again ? await tryAgain(mode, options, first) : first;
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

async function tryAgain(mode: Mode, options: SuiteOptions, first: Outcome | undefined): Promise<Outcome | undefined> {
  const repeat = casesToRepeat(first);
  if (repeat === undefined) {
    return first;
  }
  options.echo(`\n${repeat.length === 0 ? "All" : repeat.length} cases once more:\n${repeat.join("\n")}\n`);
  if (repeat.length === 0 || first === undefined) {
    return runSuite(mode, options);
  }
  return withSecondTry(first, await runSuite(mode, { ...options, filter: repeat }));
}

function modesOf(names: readonly string[]): (Mode | "http2")[] {
  const modes: (Mode | "http2")[] = ["http2", "server", "client"];
  const unknown = names.find((name) => !modes.some((mode) => mode === name));
  if (unknown !== undefined) {
    throw new Error(
      `"${unknown}" isn't a side of the suite: say "server", "client" or "http2", or nothing for all of them`,
    );
  }
  return names.length === 0 ? modes : modes.filter((mode) => names.includes(mode));
}
