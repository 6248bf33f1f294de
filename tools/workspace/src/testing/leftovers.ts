import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { chmod, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

/** A process that outlived the tests that started it. */
export type Leftover = { pid: number; command: string };

/** A database cluster that all tests of a run copy (libs/database): it is to stay until the run ends. */
const template = /^kinora-test-cluster-/;

/**
 * Vitest's global setup: gives the run a temporary folder of its own, and fails it when a process or a file of it is still there at the end.
 * Needs /proc to see processes; elsewhere only the files are looked at.
 */
export default async function setup(): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), "kt-"));
  // Postgres refuses to run as root, so what runs it must be able to pass through.
  await chmod(folder, 0o755);
  process.env.TMPDIR = folder;

  return async () => {
    const leftovers = await waitUntilGone(folder);
    leftovers.forEach(endLeftover);
    const files = (await readdir(folder)).filter((file) => !template.test(file));
    await rm(folder, { recursive: true, force: true });
    const complaints = [
      ...leftovers.map(({ pid, command }) => `process ${pid}: ${command}`),
      ...files.map((file) => `file: ${join(folder, file)}`),
    ];
    if (complaints.length > 0) throw new Error(`The tests left something behind.\n${complaints.join("\n")}`);
  };
}

/** Ending takes a moment: a signal was sent, and the system cleans up. */
async function waitUntilGone(folder: string): Promise<Leftover[]> {
  for (let attempt = 0; ; attempt++) {
    const found = findLeftovers(folder);
    if (found.length === 0 || attempt === 50) return found;
    await setTimeout(100);
  }
}

/** Processes that inherited this temporary folder as theirs, or that have to do with something in it: Postgres gets an environment of its own. */
export function findLeftovers(folder: string): Leftover[] {
  if (!existsSync("/proc/self/environ")) return [];
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid !== process.pid && !isWorker(pid))
    .filter((pid) => {
      const inherited = readProc(pid, "environ").split("\0");
      const told = [readProc(pid, "cmdline"), readLink(pid, "cwd"), readLink(pid, "exe"), ...openFiles(pid)];
      return (
        inherited.some((entry) => entry === `TMPDIR=${folder}` || entry.startsWith(`TMPDIR=${folder}/`)) ||
        told.some((text) => text.includes(`${folder}/`))
      );
    })
    .map((pid) => ({ pid, command: readProc(pid, "cmdline").replaceAll("\0", " ").trim() }));
}

/** Ends a process at once, if it is still there. */
export function endLeftover({ pid }: Leftover): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It was quicker.
  }
}

/** Vitest's own workers end with it. */
function isWorker(pid: number): boolean {
  return parentOf(pid) === process.pid && readProc(pid, "cmdline").includes("vitest");
}

/** The process that a process was started by, or handed over to; undefined when it is gone or the system has no /proc. */
export function parentOf(pid: number): number | undefined {
  const parent = /^PPid:\s+(\d+)$/m.exec(readProc(pid, "status"))?.[1];
  return parent === undefined ? undefined : Number(parent);
}

function openFiles(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((descriptor) => readLink(pid, `fd/${descriptor}`));
  } catch {
    return [];
  }
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return ""; // It ended meanwhile, or belongs to somebody else.
  }
}

function readLink(pid: number, file: string): string {
  try {
    return readlinkSync(`/proc/${pid}/${file}`);
  } catch {
    return "";
  }
}
