import type { Pool, PoolClient } from "pg";

/**
 * Runs `work` in one transaction: committed when it resolves, rolled back when it throws. When `signal` aborts before
 * the commit, the connection is dropped, which rolls back too, and the signal's reason is thrown.
 */
export async function inTransaction<T>(
  pool: Pool,
  signal: AbortSignal | undefined,
  work: (client: PoolClient) => Promise<T>,
): Promise<T> {
  const client = await connect(pool, signal);
  // The pool doesn't listen while a client is lent out, and a connection that ends between two statements would end the process
  // by an unheard `error`. The next statement fails by itself.
  client.on("error", ignore);
  let dropped = false;
  const drop = () => {
    dropped = true;
    client.release(true);
  };
  signal?.addEventListener("abort", drop, { once: true });
  try {
    await client.query("BEGIN");
    const result = await work(client);
    signal?.throwIfAborted();
    signal?.removeEventListener("abort", drop); // from here on only the server knows whether it is committed
    await client.query("COMMIT");
    client.release();
    return result;
  } catch (error) {
    signal?.removeEventListener("abort", drop);
    if (dropped) throw signal?.reason;
    await rollBack(client);
    throw error;
  } finally {
    client.off("error", ignore);
  }
}

function ignore(): void {}

async function rollBack(client: PoolClient): Promise<void> {
  try {
    await client.query("ROLLBACK");
    client.release();
  } catch {
    client.release(true); // the connection is broken, and the server rolls back by itself
  }
}

/** A connection of the pool, or the signal's reason when it aborts while all are busy. */
function connect(pool: Pool, signal: AbortSignal | undefined): Promise<PoolClient> {
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(signal?.reason);
    signal?.addEventListener("abort", giveUp, { once: true });
    pool.connect().then((client) => {
      signal?.removeEventListener("abort", giveUp);
      if (signal?.aborted) client.release();
      else resolve(client);
    }, reject);
  });
}
