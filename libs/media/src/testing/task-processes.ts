import { readdir, readFile } from "node:fs/promises";

/** The tasks' processes that a process has started, by Linux's account. */
export async function taskProcesses(parent = process.pid): Promise<number[]> {
  const read = (path: string) => readFile(`/proc/${path}`, "utf8").catch(() => "");
  const threads = await readdir(`/proc/${parent}/task`);
  const lists = await Promise.all(threads.map((thread) => read(`${parent}/task/${thread}/children`)));
  const pids = lists.flatMap((list) => list.split(" ").filter(Boolean).map(Number));
  const commands = await Promise.all(pids.map((pid) => read(`${pid}/cmdline`)));
  return pids.filter((_, index) => commands[index]?.includes("media/src/child/main.ts"));
}
