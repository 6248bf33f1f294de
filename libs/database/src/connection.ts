import { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";

/**
 * Runs `work` with a connection of its own, ended afterwards. When `signal` aborts, the connection is cut, whatever it
 * is doing, and the signal's reason is thrown.
 */
export async function withConnection<T>(
  config: pg.ClientConfig,
  signal: AbortSignal | undefined,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const socket = new Socket();
  const client = new pg.Client({ connectionTimeoutMillis: 5_000, ...config, stream: () => socket });
  client.on("error", () => {}); // whoever waits for an answer gets it too
  const cut = () => socket.destroy();
  signal?.addEventListener("abort", cut, { once: true });
  try {
    await client.connect();
    return await work(client);
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener("abort", cut);
    await end(client, socket);
  }
}

/** Says goodbye; to a server that doesn't take it, not for long. */
async function end(client: pg.Client, socket: Socket): Promise<void> {
  const patience = new AbortController();
  await Promise.race([client.end(), sleep(1_000, undefined, { signal: patience.signal }).catch(() => {})]);
  patience.abort();
  socket.destroy();
}
