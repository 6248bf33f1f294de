/** What workers say of their tasks, read from their logs. */
export type WorkLog = {
  /** Leases that began: each is a piece of work. */
  begun: number;
  /** Of those, how many were not the first of their task. */
  again: number;
  completed: number;
  /** Tasks that a process had begun and not ended when it was killed. */
  cutOff: number;
};

/** One process's log: everything that it wrote, one JSON object to a line. */
export type ProcessLog = { text: string };

/** Reads the logs of all workers. A killed one's last line may be cut off, which counts as not written. */
export function readWorkLogs(logs: readonly ProcessLog[]): WorkLog {
  const sum: WorkLog = { begun: 0, again: 0, completed: 0, cutOff: 0 };
  for (const { text } of logs) {
    const open = new Set<string>();
    for (const { msg, taskId, attempt = 0, outcome } of linesOf(text)) {
      const lease = `${taskId} ${attempt}`;
      if (msg === "task started") {
        open.add(lease);
        sum.begun += 1;
        if (attempt > 1) sum.again += 1;
      } else if (msg === "task ended") {
        open.delete(lease);
        if (outcome === "completed") sum.completed += 1;
      }
    }
    sum.cutOff += open.size;
  }
  return sum;
}

type Line = { msg?: string; taskId?: string; attempt?: number; outcome?: string };

function linesOf(text: string): Line[] {
  return text.split("\n").flatMap((line) => {
    try {
      return line.startsWith("{") ? [JSON.parse(line) as Line] : [];
    } catch {
      return [];
    }
  });
}
