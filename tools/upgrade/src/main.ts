import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { faultsOfRelease, migrationsOf } from "./migrations.ts";
import { killReplicas, serviceNames } from "./replica.ts";
import { type Order, orders, upgrade } from "./upgrade.ts";
import { candidate, checkOut, previousCommit } from "./version.ts";

const workspace = fileURLToPath(new URL("../../../", import.meta.url));
const usage = `npm run upgrade-test -- [--from COMMIT] [--first SERVICE]…

Runs the services of an earlier release and replaces them by those of the working tree, one after another, in three orders, while people use them and a worker
encodes. Exit code 0: no call failed and no encode was lost.

  --from COMMIT    the release to upgrade from; the newest tag v… unless given, or else the first release
  --first SERVICE  only the order that begins with this one of ${serviceNames.join(", ")}`;

const say = (line: string): void => console.log(line);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  // Postgres ends by itself when this process is gone; the services wouldn't.
  process.once(signal, () => {
    killReplicas();
    process.exit(130);
  });
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      from: { type: "string" },
      first: { type: "string", multiple: true },
      help: { type: "boolean", short: "h" },
    },
  });
  const unknown = values.first?.filter((name) => !serviceNames.some((service) => service === name)) ?? [];
  if (values.help || unknown.length > 0) {
    say(usage);
    return values.help ? 0 : 2;
  }
  const from = checkOut(workspace, previousCommit(workspace, values.from), say);
  const to = candidate(workspace);
  const wanted = orders.filter(([first]) => values.first === undefined || values.first.includes(first ?? ""));
  const early = faultsOfRelease(migrationsOf(from), migrationsOf(to));
  for (const fault of early) say(fault);
  let failed = early.length;
  for (const order of wanted) failed += (await run(order)) ? 0 : 1;
  say(failed === 0 ? "No call failed and no encode was lost." : "This can't be released as it is.");
  return failed === 0 ? 0 : 1;

  async function run(order: Order): Promise<boolean> {
    say(`${from.name} → ${to.name}: ${order.join(", then ")}`);
    const { calls, encodes, faults, logs } = await upgrade(from, to, order, say);
    say(`  ${calls} calls, ${encodes} encodes, ${faults.length === 0 ? "no fault" : `${faults.length} faults`}`);
    for (const fault of faults) say(`  ${fault}`);
    if (logs !== "") {
      const file = join(workspace, "dist/upgrade", `${order[0]}-first.log`);
      mkdirSync(join(workspace, "dist/upgrade"), { recursive: true });
      writeFileSync(file, logs);
      say(`  What the services said: ${file}`);
    }
    return faults.length === 0;
  }
}

process.exitCode = await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  return 2;
});
