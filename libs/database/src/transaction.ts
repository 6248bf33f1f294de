import type { Pool, PoolClient } from "pg";

/**
 * Runs `work` in one transaction: committed when it resolves, rolled back when it throws. When `signal` aborts, the
 * connection is dropped, which rolls back too, and the signal's reason is thrown.
 */
export function inTransaction<T>(
  _pool: Pool,
  _signal: AbortSignal | undefined,
  _work: (client: PoolClient) => Promise<T>,
): Promise<T> {
  throw new Error("not there yet");
}
