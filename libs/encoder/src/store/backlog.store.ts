import type { Db } from "./db.ts";

/** How many tasks of one queue are in one of the states that need a worker. */
export type TaskCount = { queue: string; state: "waiting" | "leased"; tasks: number };

/** Counts what is in the queues. */
export async function countTasks(db: Db): Promise<TaskCount[]> {
  const { rows } = await db.query<TaskCount>(
    `SELECT queue, state, count(*)::int AS tasks FROM tasks WHERE state IN ('waiting', 'leased') GROUP BY queue, state`,
  );
  return rows;
}
