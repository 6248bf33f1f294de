import { setTimeout as sleep } from "node:timers/promises";
import { untilAborted } from "../call/until-aborted.ts";
import type { Logger } from "../logger.ts";
import { type Connection, openConnection } from "./connection.ts";
import { unreachable } from "./faults.ts";

/** Gives out a connection to one server, and another one when that is gone. */
export type ConnectionSource = {
  /** A connection that takes streams; rejects as `unavailable` when the server can't be reached, or with the signal's reason. */
  get(signal: AbortSignal | undefined): Promise<Connection>;
  /** Ends all connections. `get` fails from now on. */
  close(): void;
};

const firstBackoffMs = 50;
const longestBackoffMs = 1_000;

/**
 * Connects when first asked. While the server can't be reached, attempts are spaced out (50 ms doubling up to 1 s, half of it at random) and
 * calls wait for the next one within their deadline; a success starts anew.
 */
export function createConnectionSource(baseUrl: string, logger?: Logger): ConnectionSource {
  // Those that no longer take streams may still have some to finish.
  const all = new Set<Connection>();
  let attempt: Promise<Connection> | undefined;
  let current: Connection | undefined;
  let failures = 0;
  let closed = false;

  async function connectOnce(): Promise<Connection> {
    try {
      if (failures > 0) {
        const wait = Math.min(longestBackoffMs, firstBackoffMs * 2 ** (failures - 1));
        await sleep(wait * (0.5 + Math.random() / 2));
      }
      const connection = await openConnection(baseUrl);
      if (failures > 0) {
        logger?.info({ url: baseUrl }, "connected again");
      }
      failures = 0;
      if (closed) {
        connection.destroy();
      }
      all.add(connection);
      void connection.closed.then(() => all.delete(connection));
      current = connection;
      return connection;
    } catch (error) {
      const fault = unreachable(baseUrl, error);
      if (failures === 0) {
        logger?.warn({ url: baseUrl }, fault.rawMessage);
      }
      failures = Math.min(failures + 1, 10);
      throw fault;
    } finally {
      attempt = undefined;
    }
  }

  return {
    async get(signal) {
      for (;;) {
        signal?.throwIfAborted();
        if (closed) {
          throw unreachable(baseUrl, new Error("this transport is closed"));
        }
        if (current !== undefined && (await current.tested())) {
          return current;
        }
        attempt ??= connectOnce();
        await (signal === undefined ? attempt : untilAborted(attempt, signal));
      }
    },
    close() {
      closed = true;
      for (const connection of all) {
        connection.destroy();
      }
    },
  };
}
