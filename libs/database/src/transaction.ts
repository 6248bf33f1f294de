import type { Pool, PoolClient } from "pg";
import { borrow, type Loan } from "./loan.ts";

/**
 * Runs `work` in one transaction: committed when it resolves, rolled back when it throws. When `signal` aborts before
 * the commit, the connection is dropped, which rolls back too, and the signal's reason is thrown.
 */
export async function inTransaction<T>(
  pool: Pool,
  signal: AbortSignal | undefined,
  work: (client: PoolClient) => Promise<T>,
): Promise<T> {
  const loan = await borrow(pool, signal);
  try {
    await loan.client.query("BEGIN");
    const result = await work(loan.client);
    signal?.throwIfAborted();
    loan.keep(); // from here on only the server knows whether it is committed
    await loan.client.query("COMMIT");
    loan.end();
    return result;
  } catch (error) {
    if (loan.dropped) throw signal?.reason;
    await rollBack(loan);
    throw error;
  }
}

async function rollBack(loan: Loan): Promise<void> {
  loan.keep();
  try {
    await loan.client.query("ROLLBACK");
    loan.end();
  } catch {
    loan.end(true); // the connection is broken, and the server rolls back by itself
  }
}
