import { expect, it } from "vitest";
import { renderTable } from "./table.ts";

const columns = [
  { title: "ID" },
  { title: "NAME", flexible: { minimum: 6 } },
  { title: "SIZE", align: "right" as const },
];
const rows = [
  ["1", "a-rather-long-name.mp4", "1.0 MB"],
  ["22", "短い.mp4", "999.9 kB"],
];

it("lays rows out in columns", () => {
  expect(renderTable(columns, rows, 80)).toEqual([
    "ID  NAME                        SIZE",
    "1   a-rather-long-name.mp4    1.0 MB",
    "22  短い.mp4                999.9 kB",
  ]);
});

it("cuts the flexible column where the terminal is narrow", () => {
  expect(renderTable(columns, rows, 26)).toEqual([
    "ID  NAME              SIZE",
    "1   a-rather-lo…    1.0 MB",
    "22  短い.mp4      999.9 kB",
  ]);
});

it("keeps the flexible column's minimum even if the line gets too long", () => {
  expect(renderTable(columns, rows, 10)[1]).toBe("1   a-rat…    1.0 MB");
});
