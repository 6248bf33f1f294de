import type { Db } from "./db.ts";
import { type LockedEncode, type LockedEncodeRow, lockedEncodeColumns, lockedEncodeOf } from "./locked-encode.store.ts";
import { columns, type Row, recordOf, type TaskRecord } from "./task.store.ts";

const named = (list: string, table: string) => list.replaceAll(/\w+/g, `${table}.$& AS ${table}_$&`);

const select = `SELECT ${named(lockedEncodeColumns, "e")}, ${named(columns, "t")} FROM encodes e JOIN tasks t ON t.encode_id = e.id`;

/** Locks a task with its encode, which comes first: locks are taken in the order in which they are named. In one statement, because every task that ends does this. */
export async function lockTaskAndEncode(
  db: Db,
  taskId: string,
): Promise<{ task: TaskRecord; encode: LockedEncode } | undefined> {
  const { rows } = await db.query<Record<string, unknown>>(`${select} WHERE t.id = $1 FOR UPDATE OF e, t`, [taskId]);
  return rows.map((row) => ({
    task: recordOf(part<Row>(row, "t_")),
    encode: lockedEncodeOf(part<LockedEncodeRow>(row, "e_")),
  }))[0];
}

/** The columns of one table, by their own names. */
function part<T>(row: Record<string, unknown>, prefix: string): T {
  const own = Object.entries(row).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(own.map(([name, value]) => [name.slice(prefix.length), value])) as T;
}
