import { type ChaosReport, isGood, kindOf } from "./run-chaos.ts";

const kinds = ["worker", "encoder", "postgres"] as const;

/** A report as a table, with the verdict in its last line. */
export function describeReport(report: ChaosReport): string {
  const { work, lost } = report;
  const rows: [string, string][] = [
    ["jobs done and verified", `${report.jobs - lost.length} of ${report.jobs}`],
    ...kinds.map((kind): [string, string] => {
      const own = report.kills.filter(({ victim }) => kindOf(victim) === kind);
      const longest = Math.max(0, ...own.map(({ backAfter }) => backAfter));
      return [
        `kill -9 of a ${kind}`,
        `${own.length}${own.length > 0 ? `, back after ${longest.toFixed(1)} s at most` : ""}`,
      ];
    }),
    ["tasks begun", String(work.begun)],
    ["tasks cut off by a kill", String(work.cutOff)],
    ["tasks begun again", String(work.again)],
    ["done again beyond the killed", String(work.redone.length)],
    ...work.redone.map(({ taskId, work: kind, ends }): [string, string] => [`${kind} ${taskId}`, ends.join(", then ")]),
    ...lost.map(({ id, state, error }): [string, string] => [`job ${id}`, `${state}: ${error || "not verified"}`]),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const verdict = isGood(report)
    ? "Every job done and verified, nothing done again but what was killed."
    : "FALLS SHORT";
  return ["", ...rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`), "", verdict].join("\n");
}
