import { holds, type Target } from "./target.ts";

/** Rows under a title; the first column is text, the others are aligned right. */
export type Table = { title: string; columns: readonly string[]; rows: readonly (readonly string[])[] };

/** The table as text. */
export function renderTable({ title, columns, rows }: Table): string {
  const widths = columns.map((name, column) => Math.max(...[name, ...rows.map((row) => row[column] ?? "")].map(width)));
  const line = (cells: readonly string[]) =>
    widths
      .map((wanted, column) => {
        const cell = cells[column] ?? "";
        const gap = " ".repeat(wanted - width(cell));
        return column === 0 ? cell + gap : gap + cell;
      })
      .join("  ")
      .trimEnd();
  return [title, line(columns), widths.map((wanted) => "─".repeat(wanted)).join("  "), ...rows.map(line)].join("\n");
}

/** Targets as a table. */
export function targetTable(targets: readonly Target[]): Table {
  return {
    title: "Targets",
    columns: ["", "measured", "must", "we want", ""],
    rows: targets.map((target) => [
      target.name,
      formatNumber(target.value),
      `${target.op === ">=" ? "≥" : "≤"} ${target.must}`,
      target.want === undefined ? "" : `${target.op === ">=" ? "≥" : "≤"} ${target.want}`,
      holds(target) ? "holds" : "FALLS SHORT",
    ]),
  };
}

/** Three digits that matter; whole numbers from 100 on. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) {
    return "–";
  }
  const magnitude = Math.abs(value);
  if (magnitude >= 100) {
    return Math.round(value).toLocaleString("en");
  }
  return magnitude >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function width(text: string): number {
  return [...text].length;
}
