import { execFileSync } from "node:child_process";
import { arch, cpus, loadavg, platform, release, totalmem } from "node:os";

/** Where a benchmark ran, as far as it explains its figures. */
export type Machine = {
  cpu: string;
  cores: number;
  memoryBytes: number;
  system: string;
  node: string;
  /** Processes that wanted a core in the last minute before the benchmark: above 0.5 somebody else is at work. */
  loadBefore: number;
  /** Whether servers and load had a core each. */
  pinned: boolean;
  /** h2load's version, or undefined where it is absent. */
  h2load: string | undefined;
};

/** Looks at this machine. */
export function readMachine(): Machine {
  const all = cpus();
  return {
    cpu: all[0]?.model ?? "unknown",
    cores: all.length,
    memoryBytes: totalmem(),
    system: `${platform()} ${release()} ${arch()}`,
    node: process.version,
    loadBefore: Math.round((loadavg()[0] ?? 0) * 100) / 100,
    pinned: all.length > 1 && versionOf("taskset") !== undefined,
    h2load: versionOf("h2load"),
  };
}

/** The first line of `TOOL --version` (or what it calls that), or undefined when there is no such tool. */
export function versionOf(tool: string, option = "--version"): string | undefined {
  try {
    return execFileSync(tool, [option], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).split("\n", 1)[0];
  } catch {
    return undefined;
  }
}

/** The machine in a few lines. */
export function describeMachine(machine: Machine): string {
  const lines = [
    `${machine.cpu}, ${machine.cores} cores, ${Math.round(machine.memoryBytes / 2 ** 30)} GiB, ${machine.system}, Node ${machine.node}`,
    `load from ${machine.h2load ?? "our own raw client (no h2load here: apt install nghttp2-client)"}`,
    machine.pinned
      ? "servers on core 0, load on core 1"
      : "servers and load share the cores (no taskset, or one core): compare CPU, not requests/s",
  ];
  if (machine.loadBefore > 0.5) {
    lines.push(`others are at work here (load ${machine.loadBefore}): expect spread`);
  }
  return lines.join("\n");
}
