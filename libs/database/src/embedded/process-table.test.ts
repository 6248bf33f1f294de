import { describe, expect, it } from "vitest";
import { processTable, recognise } from "./process-table.ts";

const name = "kinora-fd00-1a2b";

describe("recognise", () => {
  it.each([
    [`/a b/bin/postgres -D /proc/self/fd/3 -c cluster_name=${name} -c port=5432`, { pid: 7, postmaster: true }],
    [`/bin/postgres -D /data -c cluster_name=${name}`, { pid: 7, postmaster: true }],
    [`postgres: ${name}: checkpointer `, { pid: 7, postmaster: false }],
    [`postgres: ${name}: kinora postgres [local] idle`, { pid: 7, postmaster: false }],
  ])("knows %s", (commandLine, expected) => {
    expect(recognise(7, commandLine, name)).toEqual(expected);
  });

  it.each([
    "",
    `/bin/postgres -D /data -c cluster_name=${name}9 -c port=5432`,
    "/bin/postgres -D /data",
    `postgres: ${name}9: checkpointer `,
    `grep -D cluster_name=${name} file`,
    `vi postgres: ${name}: notes`,
    `/bin/sh -c /bin/postgres -D /data -c cluster_name=${name}`.replace("/bin/postgres", "/bin/postgres2"),
  ])("leaves alone %s", (commandLine) => {
    expect(recognise(7, commandLine, name)).toBeUndefined();
  });
});

it("lists this process", async () => {
  expect((await processTable()).find(({ pid }) => pid === process.pid)?.commandLine).toContain("node");
});
