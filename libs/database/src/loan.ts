import type { Pool, PoolClient } from "pg";

/** A connection of a pool, lent until `end`. When the signal aborts before that, it is dropped. */
export type Loan = {
  readonly client: PoolClient;
  /** Whether the signal has ended the loan. */
  readonly dropped: boolean;
  /** From here on the signal has no effect. */
  keep(): void;
  /** Gives the connection back; closes it, if it is `broken`. Has no effect on a dropped one. */
  end(broken?: boolean): void;
};

/** Lends a connection; throws the signal's reason when it aborts while all are busy. */
export async function borrow(pool: Pool, signal: AbortSignal | undefined): Promise<Loan> {
  const client = await connect(pool, signal);
  // The pool doesn't listen while a client is lent out, and a connection that ends between two statements would end the process
  // by an unheard `error`. The next statement fails by itself.
  client.on("error", ignore);
  let dropped = false;
  let ended = false;
  const keep = () => signal?.removeEventListener("abort", drop);
  const end = (broken: boolean) => {
    if (ended) return;
    ended = true;
    keep();
    client.off("error", ignore);
    client.release(broken);
  };
  const drop = () => {
    dropped = !ended;
    end(true);
  };
  signal?.addEventListener("abort", drop, { once: true });
  return {
    client,
    get dropped() {
      return dropped;
    },
    keep,
    end: (broken = false) => end(broken),
  };
}

/**
 * Runs `work`, which begins no transaction, with a connection of the pool. When `signal` aborts, the connection is dropped and the signal's reason is thrown.
 */
export async function withLoan<T>(
  pool: Pool,
  signal: AbortSignal | undefined,
  work: (client: PoolClient) => Promise<T>,
): Promise<T> {
  const loan = await borrow(pool, signal);
  try {
    const result = await work(loan.client);
    loan.end();
    return result;
  } catch (error) {
    if (loan.dropped) throw signal?.reason;
    // A statement that Postgres refuses leaves the connection usable; anything else doesn't.
    loan.end(!isRefusal(error));
    throw error;
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof Error && "severity" in error && error.severity === "ERROR";
}

function ignore(): void {}

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
