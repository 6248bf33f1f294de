import { readdirSync, readFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import { runChild } from "./run-child.ts";

/** A process of a cluster. Its backends and helpers end by themselves soon after their postmaster. */
export type ClusterProcess = { pid: number; postmaster: boolean };

/** A name for the cluster with this data folder, which no other cluster of this machine has: by the folder's inode. */
export async function clusterNameOf(dataFolder: string): Promise<string> {
  const { dev, ino } = await stat(dataFolder, { bigint: true }); // some file systems use all 64 bits
  return `kinora-${dev.toString(16)}-${ino.toString(16)}`;
}

/**
 * Recognises a process of the named cluster by its command line: the postmaster keeps the arguments it was started
 * with, the others have a title that begins with the cluster's name. A process number alone says nothing: it may have
 * been given to somebody else since.
 */
export function recognise(pid: number, commandLine: string, clusterName: string): ClusterProcess | undefined {
  if (commandLine.startsWith(`postgres: ${clusterName}: `)) return { pid, postmaster: false };
  const [program = ""] = commandLine.split(" -D ", 1);
  const ours = `${commandLine} `.includes(` cluster_name=${clusterName} `);
  return ours && /(^|\/)postgres$/.test(program) ? { pid, postmaster: true } : undefined;
}

/** The living processes of the named cluster. */
export async function clusterProcesses(clusterName: string, signal?: AbortSignal): Promise<ClusterProcess[]> {
  const table = await processTable(signal);
  return table.flatMap(({ pid, commandLine }) => recognise(pid, commandLine, clusterName) ?? []);
}

type Row = { pid: number; commandLine: string };

/** Every process that this user can see. */
export async function processTable(signal?: AbortSignal): Promise<Row[]> {
  return process.platform === "linux" ? fromProc() : fromPs(signal);
}

function fromProc(): Row[] {
  const rows: Row[] = [];
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      rows.push({
        pid: Number(name),
        commandLine: readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " "),
      });
    } catch {
      // It ended meanwhile, or is hidden from us, and then it isn't ours.
    }
  }
  return rows;
}

async function fromPs(signal: AbortSignal | undefined): Promise<Row[]> {
  const { output } = await runChild("ps", ["-axww", "-o", "pid=,command="], { signal, timeoutMs: 10_000 });
  return output.split("\n").flatMap((line) => {
    const [, pid, commandLine] = /^\s*(\d+)\s+(.*)$/.exec(line) ?? [];
    return pid && commandLine ? [{ pid: Number(pid), commandLine }] : [];
  });
}
