/** What workers say of their tasks, read from their logs. */
export type WorkLog = {
  /** Times that work on a task began. */
  begun: number;
  completed: number;
  /** Of those begun, how many had not ended when their process was killed. */
  cutOff: number;
  /** Of those begun, how many were of a task that somebody had begun before. */
  again: number;
  /** Tasks that were begun again more often than they were cut off, and how each time ended. */
  redone: { taskId: string; work: string; ends: string[] }[];
};

/** One process's log: everything that it wrote, one JSON object to a line. */
export type ProcessLog = { text: string };

type Task = { taskId: string; work: string; ends: string[] };

/** Reads the logs of all workers. A killed one's last line may be cut off, which counts as not written. */
export function readWorkLogs(logs: readonly ProcessLog[]): WorkLog {
  const tasks = new Map<string, Task>();
  for (const { text } of logs) {
    // By lease; whatever has no end by the end of the log was cut off.
    const ends = new Map<string, { task: Task; end: string }>();
    for (const { msg, taskId = "", attempt = 0, work = "", outcome = "" } of linesOf(text)) {
      const lease = `${taskId} ${attempt}`;
      if (msg === "task started") {
        const task = tasks.get(taskId) ?? { taskId, work, ends: [] };
        tasks.set(taskId, task);
        ends.set(lease, { task, end: cutOff });
      } else if (msg === "task ended") {
        const begun = ends.get(lease);
        if (begun) begun.end = outcome;
      }
    }
    for (const { task, end } of ends.values()) task.ends.push(end);
  }
  const all = [...tasks.values()];
  const count = (end: string) => all.reduce((sum, task) => sum + countOf(task, end), 0);
  const begun = all.reduce((sum, task) => sum + task.ends.length, 0);
  return {
    begun,
    completed: count("completed"),
    cutOff: count(cutOff),
    again: begun - all.length,
    redone: all.filter((task) => task.ends.length - 1 > countOf(task, cutOff)),
  };
}

const cutOff = "cut off";

const countOf = ({ ends }: Task, end: string) => ends.filter((one) => one === end).length;

type Line = { msg?: string; taskId?: string; attempt?: number; work?: string; outcome?: string };

function linesOf(text: string): Line[] {
  return text.split("\n").flatMap((line) => {
    try {
      return line.startsWith("{") ? [JSON.parse(line) as Line] : [];
    } catch {
      return [];
    }
  });
}
