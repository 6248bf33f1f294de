import { setTimeout as sleep } from "node:timers/promises";
import { realVideos } from "@kinora/testing";
import { startFleet, type Victim } from "./fleet.ts";
import { createJobs, type JobEnd } from "./jobs.ts";
import { readWorkLogs, type WorkLog } from "./work-log.ts";

/** A kill, and how long it took until the process worked again, in seconds. */
export type Kill = { at: number; victim: Victim; backAfter: number };

/** What happened. */
export type ChaosReport = {
  minutes: number;
  workers: number;
  jobs: number;
  /** Jobs that weren't done, or whose stream wasn't verified. */
  lost: JobEnd[];
  kills: Kill[];
  work: WorkLog;
};

/** Whether every job was done and verified, every kind of process was killed, and nothing was done again but what was killed. */
export function isGood({ jobs, lost, kills, work }: ChaosReport): boolean {
  const kinds = new Set(kills.map(({ victim }) => kindOf(victim)));
  return jobs > 0 && lost.length === 0 && kinds.size === 3 && work.redone.length === 0;
}

/** `worker` of any worker. */
export function kindOf(victim: Victim): "worker" | "encoder" | "postgres" {
  return victim === "encoder" || victim === "postgres" ? victim : "worker";
}

/** Jobs under way at a time. */
const parallel = 4;
/** Between two kills, in milliseconds, at least and at most. */
const pauseMs = [4_000, 12_000] as const;
/** For what is under way when the killing ends, in milliseconds. */
const settleMs = 10 * 60_000;

/** Lets jobs run for so many minutes, kills meanwhile, and waits for their ends. */
export async function runChaos(options: {
  minutes: number;
  workers: number;
  say: (line: string) => void;
}): Promise<ChaosReport> {
  const { minutes, workers, say } = options;
  const video = realVideos().find((path) => path.includes("hello")) ?? realVideos()[0] ?? "";
  await using fleet = await startFleet(workers);
  const jobs = createJobs(fleet, video);
  const began = Date.now();
  const until = began + minutes * 60_000;
  const ends: JobEnd[] = [];
  const kills: Kill[] = [];
  const patience = AbortSignal.timeout(minutes * 60_000 + settleMs);
  // Each kind once before chance decides.
  const first: Victim[] = ["worker-0", "postgres", "encoder"];

  const feed = async () => {
    while (Date.now() < until) ends.push(await jobs.end(await jobs.begin(), patience));
  };
  const strike = async () => {
    for (;;) {
      await sleep(pauseMs[0] + Math.random() * (pauseMs[1] - pauseMs[0]));
      if (Date.now() >= until && first.length === 0) return;
      const victim = first.shift() ?? fleet.victims[Math.floor(Math.random() * fleet.victims.length)] ?? "encoder";
      say(`${seconds(began)} s: kill -9 ${victim}; ${ends.length} jobs done`);
      const at = seconds(began);
      const killed = Date.now();
      await fleet.kill(victim);
      kills.push({ at, victim, backAfter: (Date.now() - killed) / 1000 });
    }
  };
  await Promise.all([strike(), ...Array.from({ length: parallel }, feed)]);
  // A worker's last words come a moment after its job's end.
  await sleep(2_000);

  const work = readWorkLogs(fleet.workerLogs());
  return {
    minutes,
    workers,
    jobs: ends.length,
    lost: ends.filter((end) => end.state !== "succeeded" || !end.verified),
    kills,
    work,
  };
}

const seconds = (since: number) => Math.round((Date.now() - since) / 1000);
