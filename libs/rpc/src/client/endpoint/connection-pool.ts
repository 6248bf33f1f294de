import { setTimeout as sleep } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Logger } from "../../logger.ts";
import { NotSent, unreachable } from "../faults.ts";
import { type Connection, openConnection } from "./connection.ts";
import type { Dial } from "./dial.ts";

/** A call that wants a stream. One of the two is called, once, unless it leaves before. */
export type Entrant = {
  /** Opens its stream at once. */
  start(connection: Connection): void;
  fail(error: ConnectError): void;
};

/** Whether a call would find a connection. `backoff`: the last attempt to connect failed, and no other has succeeded since. */
export type PoolState = "ready" | "connecting" | "idle" | "backoff";

/** The connections to one address. */
export type ConnectionPool = {
  readonly state: PoolState;
  /** Connects beside the calls if there is no connection, once. Settles when that is over: `state` tells what came of it. */
  connect(): Promise<void>;
  /** Streams under way, and those that wait to be. */
  readonly inFlight: number;
  /** Starts the call on the least busy connection: now, or when its turn comes. */
  enter(entrant: Entrant): void;
  /** A call that was waiting doesn't want to any more. */
  leave(entrant: Entrant): void;
  /** Takes no more calls; ends once those under way are over. */
  drain(): void;
  /** Ends all connections. Whatever waits fails, and so does what enters later. */
  close(): void;
};

/** How far a pool goes. */
export const poolLimits = {
  /** Connections at a time. Servers of ours take 256 streams on each: eight carry more calls than one process can make at once. */
  connections: 8,
  /** Calls that wait for a stream at a time. */
  waiting: 2048,
  firstBackoffMs: 50,
  longestBackoffMs: 1_000,
};

/**
 * Connects when first asked, and once more whenever every connection has as many streams as the server allows. While the server can't be reached, attempts are spaced out
 * (50 ms doubling up to 1 s, half of it at random) and calls wait for the next one within their deadline; a success starts anew.
 */
export function createConnectionPool(dial: Dial, url: string, logger?: Logger, limits = poolLimits): ConnectionPool {
  // Those that no longer take streams may still have some to finish.
  let all: Connection[] = [];
  const testing = new Set<Connection>();
  const waiting = new Set<Entrant>();
  let usable: Connection[] = [];
  let connecting: Promise<void> | undefined;
  let failures = 0;
  let ended: string | undefined;
  const end = new AbortController();

  function leastBusy(): Connection | undefined {
    let best: Connection | undefined;
    for (const connection of usable) {
      if ((best === undefined || connection.streams < best.streams) && connection.hasRoom()) {
        best = connection;
      }
    }
    return best;
  }

  /** Lets in whoever there is room for, and sees to it that there will be room for the others. */
  function admit(): void {
    if (waiting.size === 0) {
      return;
    }
    for (const entrant of waiting) {
      const connection = leastBusy();
      if (connection === undefined) {
        makeRoom();
        return;
      }
      waiting.delete(entrant);
      entrant.start(connection);
    }
  }

  function makeRoom(): void {
    usable = usable.filter((connection) => connection.usable());
    const stale = usable.filter((connection) => connection.stale());
    for (const connection of stale) {
      if (!testing.has(connection)) {
        testing.add(connection);
        void connection.tested().then(() => {
          testing.delete(connection);
          admit();
        });
      }
    }
    if (stale.length === 0 && usable.length < limits.connections) {
      connecting ??= connect();
    }
  }

  async function connect(): Promise<void> {
    try {
      if (failures > 0) {
        const wait = Math.min(limits.longestBackoffMs, limits.firstBackoffMs * 2 ** (failures - 1));
        await sleep(wait * (0.5 + Math.random() / 2), undefined, { signal: end.signal });
      }
      add(await openConnection(dial, undefined, admit, end.signal));
    } catch (error) {
      missed(error);
    } finally {
      connecting = undefined;
      admit();
    }
  }

  function add(connection: Connection): void {
    if (failures > 0) {
      logger?.info({ url }, "connected again");
    }
    failures = 0;
    all.push(connection);
    usable.push(connection);
    void connection.closed.then(() => {
      all = all.filter((other) => other !== connection);
    });
    if (ended !== undefined) {
      connection.destroy();
    }
  }

  function missed(error: unknown): void {
    if (ended !== undefined) {
      return;
    }
    if (failures === 0) {
      logger?.warn({ url }, unreachable(url, error).rawMessage);
    }
    failures = Math.min(failures + 1, 10);
    // Whoever waits for another's stream to end goes on waiting.
    if (!ready()) {
      failAll(() => unreachable(url, error));
    }
  }

  function failAll(fault: () => ConnectError): void {
    const entrants = [...waiting];
    waiting.clear();
    for (const entrant of entrants) {
      entrant.fail(fault());
    }
  }

  function stop(reason: string): void {
    ended ??= reason;
    end.abort();
    failAll(() => unreachable(url, new Error(reason)));
  }

  const ready = () => usable.some((connection) => connection.usable());

  return {
    get state() {
      return ready() ? "ready" : failures > 0 ? "backoff" : connecting !== undefined ? "connecting" : "idle";
    },
    async connect() {
      if (ended === undefined && !ready()) {
        makeRoom();
      }
      await connecting;
    },
    get inFlight() {
      let count = waiting.size;
      for (const connection of all) {
        count += connection.streams;
      }
      return count;
    },
    enter(entrant) {
      if (ended !== undefined) {
        entrant.fail(unreachable(url, new Error(ended)));
        return;
      }
      const connection = waiting.size === 0 ? leastBusy() : undefined;
      if (connection !== undefined) {
        entrant.start(connection);
        return;
      }
      if (waiting.size >= limits.waiting) {
        const message = `${waiting.size} calls already wait for ${url}`;
        entrant.fail(new ConnectError(message, Code.ResourceExhausted, undefined, undefined, new NotSent(message)));
        return;
      }
      waiting.add(entrant);
      makeRoom();
    },
    leave: (entrant) => void waiting.delete(entrant),
    drain() {
      stop("its address is no longer in use");
      for (const connection of all) {
        connection.drain();
      }
    },
    close() {
      stop("this transport is closed");
      for (const connection of all) {
        connection.destroy();
      }
    },
  };
}
