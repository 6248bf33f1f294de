import { fileURLToPath } from "node:url";
import { delivery } from "./delivery/delivery.ts";
import { encode } from "./encode/encode.ts";
import { fleet } from "./fleet/fleet.ts";
import type { Benchmark } from "./harness/benchmark.ts";
import { readRequest } from "./harness/command-line.ts";
import { describeMachine, readMachine } from "./harness/machine.ts";
import { runBenchmark } from "./harness/run-benchmark.ts";
import { renderTable } from "./harness/table.ts";
import { rpc } from "./rpc/rpc.ts";
import { user } from "./user/user.ts";

const benchmarks: readonly Benchmark[] = [rpc, encode, fleet, delivery, user];
const folder = fileURLToPath(new URL("../../../dist/bench/", import.meta.url));
const interrupt = new AbortController();
const say = (line: string) => console.log(line);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  // Once: a second one ends this process at once, and with it its children.
  process.once(signal, () => interrupt.abort(new Error("stopped")));
}

async function main(): Promise<number> {
  const request = readRequest(process.argv.slice(2));
  const benchmark = benchmarks.find(({ name }) => name === request.name);
  const unknown = request.only.filter((part) => !benchmark?.parts.some(({ name }) => name === part));
  if (benchmark === undefined || unknown.length > 0) {
    say("npm run bench -- NAME [--quick] [--only PART] [--rounds N] [--out FOLDER]\n");
    for (const { name, about, parts } of benchmarks) {
      say(`${name}: ${about}`);
      say(parts.map((part) => `  --only ${part.name.padEnd(12)} ${part.about}`).join("\n"));
    }
    return request.name === undefined ? 0 : 2;
  }
  const machine = readMachine();
  say(describeMachine(machine));
  const report = await runBenchmark(
    benchmark,
    request.only,
    {
      machine,
      quick: request.quick,
      rounds: request.rounds ?? (request.quick ? 1 : 5),
      serverCore: machine.pinned ? 0 : undefined,
      loadCore: machine.pinned ? 1 : undefined,
      signal: interrupt.signal,
      note: say,
      show: (table) => say(`\n${renderTable(table)}`),
    },
    request.out ?? folder,
  );
  return report.failures.length === 0 ? 0 : 1;
}

// The exit code says whether it was measured, not whether the targets hold.
process.exitCode = await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  return 1;
});
