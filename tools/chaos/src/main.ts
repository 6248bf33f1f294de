/** `npm run chaos -- [--minutes N] [--workers N]`: kills processes at random while many jobs run, and checks that nothing is lost and hardly anything done twice. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { realVideos, repositoryRoot } from "@kinora/testing";
import { startFleet, type Victim } from "./fleet.ts";
import { createJobs, type JobEnd } from "./jobs.ts";
import { readWorkLogs } from "./work-log.ts";

/** Jobs under way at a time. */
const parallel = 4;
/** Between two kills, in milliseconds, at least and at most. */
const pauseMs = [4_000, 12_000] as const;
/** For what is under way when the killing ends, in milliseconds. */
const settleMs = 10 * 60_000;

const { values } = parseArgs({
  options: { minutes: { type: "string", default: "5" }, workers: { type: "string", default: "3" } },
});
const minutes = Number(values.minutes);
const workers = Number(values.workers);
if (!(minutes > 0) || !Number.isInteger(workers) || workers < 1) {
  console.error("npm run chaos -- [--minutes N] [--workers N], both above 0");
  process.exit(2);
}
const video = realVideos().find((path) => path.includes("hello")) ?? realVideos()[0] ?? "";

process.exitCode = await run();

async function run(): Promise<number> {
  await using fleet = await startFleet(workers);
  const jobs = createJobs(fleet, video);
  const until = Date.now() + minutes * 60_000;
  const ends: JobEnd[] = [];
  const kills: Victim[] = [];
  const patience = AbortSignal.timeout(minutes * 60_000 + settleMs);

  const feed = async () => {
    while (Date.now() < until) ends.push(await jobs.end(await jobs.begin(), patience));
  };
  const strike = async () => {
    while (Date.now() < until) {
      await sleep(pauseMs[0] + Math.random() * (pauseMs[1] - pauseMs[0]));
      const victim = fleet.victims[Math.floor(Math.random() * fleet.victims.length)] ?? "encoder";
      console.log(`kill -9 ${victim}; ${ends.length} jobs done`);
      kills.push(victim);
      await fleet.kill(victim);
    }
  };
  await Promise.all([strike(), ...Array.from({ length: parallel }, feed)]);
  // A worker's last words come a moment after its job's end.
  await sleep(2_000);

  const work = readWorkLogs(fleet.workerLogs());
  const lost = ends.filter((end) => end.state !== "succeeded" || !end.verified);
  const redone = Math.max(0, work.again - work.cutOff);
  const report = {
    minutes,
    workers,
    jobs: ends.length,
    lost,
    kills: count(kills),
    work,
    redoneBeyondTheKilled: redone,
  };
  await mkdir(join(repositoryRoot, "dist"), { recursive: true });
  await writeFile(join(repositoryRoot, "dist/chaos.json"), `${JSON.stringify(report, undefined, 2)}\n`);
  console.log(JSON.stringify(report, undefined, 2));
  const good = ends.length > 0 && lost.length === 0 && redone === 0;
  console.log(good ? "Every job done and verified, nothing redone but what was killed." : "FALLS SHORT");
  return good ? 0 : 1;
}

function count(kills: readonly string[]): Record<string, number> {
  return Object.fromEntries([...new Set(kills)].map((name) => [name, kills.filter((one) => one === name).length]));
}
