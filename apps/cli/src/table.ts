import { padTo, textWidth, truncate } from "./text-width.ts";

/** A column of a table. */
export type Column = {
  title: string;
  align?: "left" | "right";
  /** Gives way when the table is too wide; not below `minimum` cells. */
  flexible?: { minimum: number };
};

const gap = "  ";

/** Lays rows out in columns, within `width` cells where a column is flexible. Lines have no spaces at their ends. */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[], width: number): string[] {
  const lines = [columns.map((column) => column.title), ...rows];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => textWidth(line[index] ?? ""))));
  const total = widths.reduce((sum, one) => sum + one, gap.length * (columns.length - 1));
  for (const [index, { flexible }] of columns.entries()) {
    const own = widths[index] ?? 0;
    if (flexible && total > width) widths[index] = Math.max(Math.min(own, flexible.minimum), own - (total - width));
  }
  return lines.map((line) =>
    columns
      .map(({ align }, index) => {
        const cells = widths[index] ?? 0;
        return padTo(truncate(line[index] ?? "", cells), cells, align === "right" ? "right" : "left");
      })
      .join(gap)
      .trimEnd(),
  );
}
