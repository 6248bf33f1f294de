import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Encode, faultOf, startEncode, underWay } from "./encodes.ts";
import { createInstallation } from "./installation.ts";
import { startLoad } from "./load.ts";
import type { ServiceName } from "./replica.ts";
import type { Version } from "./version.ts";

/** In which order the services are replaced. */
export type Order = readonly ServiceName[];

/** What one upgrade came to. `faults` are failed calls, lost encodes and processes that didn't end well, as sentences. */
export type Outcome = { order: Order; calls: number; encodes: number; faults: readonly string[]; logs: string };

/** Every service is the first once, and every one the last. */
export const orders: readonly Order[] = [
  ["user", "encoder", "encoder-worker"],
  ["encoder", "encoder-worker", "user"],
  ["encoder-worker", "user", "encoder"],
];

/** After each step, the mixture of versions is at work for so long, in milliseconds. */
const mixedMs = 3_000;
/** A worker that can begin does so within this time, in milliseconds; old workers wait while they are refused by a newer encoder. */
const startMs = 40_000;
/** An encode of the sample takes seconds on a quiet machine. */
const encodeMs = 300_000;

/**
 * Starts the old version, and replaces one service after another while people work and a worker encodes. An encode is begun before the first step, and after each of the first
 * `encodesAfter` steps (all unless given).
 */
export async function upgrade(
  from: Version,
  to: Version,
  order: Order,
  say: (line: string) => void,
  encodesAfter = order.length,
): Promise<Outcome> {
  await using installation = await createInstallation();
  for (const service of ["user", "encoder", "encoder-worker"] as const) await installation.roll(service, from);
  const owner = JSON.parse(await readFile(join(installation.dataDir, "credentials/owner.json"), "utf8"));
  const { userUrl, encoderUrl } = installation;
  const { load, person } = await startLoad({ userUrl, encoderUrl, email: owner.email, password: owner.password });
  const encodes: Encode[] = [];
  const faults: string[] = [];
  const begin = async (name: string) => {
    const encode = await startEncode(person, name);
    encodes.push(encode);
    return encode;
  };
  try {
    await underWay(person, await begin("an encode that all-old services began"), encodeMs);
    for (const [index, service] of order.entries()) {
      await installation.roll(service, to);
      say(`  ${service} is new`);
      if (index < encodesAfter) {
        // The one before may have ended with its worker's last breath; there is to be something in flight at each step.
        const next = await begin(
          `an encode begun when ${order.slice(0, index + 1).join(", ")} ${index === 0 ? "was" : "were"} new`,
        );
        if (index < order.length - 1)
          await underWay(person, next, startMs).catch(() => say("  nobody encodes with this mixture; the job waits"));
      }
      await sleep(mixedMs);
    }
    for (const encode of encodes) {
      const fault = await faultOf(person, encode, encodeMs);
      if (fault !== undefined) faults.push(fault);
    }
  } catch (error) {
    faults.push(error instanceof Error ? error.message : String(error));
  } finally {
    await load.stop();
  }
  faults.unshift(...summary(load.failures));
  return {
    order,
    calls: load.calls(),
    encodes: encodes.length,
    faults,
    logs: faults.length > 0 ? installation.logs() : "",
  };
}

/** Failures of one kind in one line. */
function summary(failures: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const failure of failures) counts.set(failure, (counts.get(failure) ?? 0) + 1);
  return [...counts].map(([failure, count]) => `${count} × ${failure}`);
}
