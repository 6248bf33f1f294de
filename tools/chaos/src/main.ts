/** `npm run chaos -- [--minutes N] [--workers N]`: kills processes at random while many jobs run, and checks that nothing is lost and nothing done twice but what was killed. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { repositoryRoot } from "@kinora/testing";
import { describeReport } from "./describe-report.ts";
import { isGood, runChaos } from "./run-chaos.ts";

const { values } = parseArgs({
  options: { minutes: { type: "string", default: "5" }, workers: { type: "string", default: "3" } },
});
const minutes = Number(values.minutes);
const workers = Number(values.workers);
if (!(minutes > 0) || !Number.isInteger(workers) || workers < 1) {
  console.error("npm run chaos -- [--minutes N] [--workers N], both above 0");
  process.exit(2);
}

const report = await runChaos({ minutes, workers, say: (line) => console.log(line) });
await mkdir(join(repositoryRoot, "dist"), { recursive: true });
await writeFile(join(repositoryRoot, "dist/chaos.json"), `${JSON.stringify(report, undefined, 2)}\n`);
console.log(describeReport(report));
process.exitCode = isGood(report) ? 0 : 1;
