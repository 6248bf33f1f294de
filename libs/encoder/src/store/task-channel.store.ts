import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "@kinora/rpc";
import pg from "pg";
import type { Db } from "./db.ts";

/** Tells other replicas of this service that tasks wait, through the database that they share (LISTEN and NOTIFY). */
export type TaskChannel = {
  /** Tells them. Many at about the same time are told as one; one that is lost is no harm. */
  send(): void;
  close(): Promise<void>;
};

const channel = "kinora_encoder_tasks";
/** Seen in pg_stat_activity. */
const applicationName = "kinora-encoder-listen";
/** Between two tries to listen, in milliseconds: it doubles from the first to the last. */
const retryMs = { first: 500, last: 30_000 };
/** For the end of the connection, in milliseconds. */
const goodbyeMs = 500;

/**
 * Opens the channel. While the listening connection is broken, or where a pooler in between can't listen, nothing is heard, and everybody goes on to look by themselves.
 * @param heard called when another replica has sent, and whenever something may have been missed
 */
export function openTaskChannel(options: { url: string; db: Db; logger: Logger; heard: () => void }): TaskChannel {
  const { url, db, logger, heard } = options;
  const self = randomUUID();
  const closed = new AbortController();
  let sending = false;
  let again = false;

  /** Listens until the connection ends. */
  async function listen(onListening: () => void): Promise<void> {
    const client = new pg.Client({
      connectionString: url,
      application_name: applicationName,
      connectionTimeoutMillis: 10_000,
      keepAlive: true,
    });
    const ended = Promise.withResolvers<void>();
    const end = () => ended.resolve();
    client.on("error", end);
    client.on("end", end);
    client.on("notification", ({ payload }) => {
      if (payload !== self) heard();
    });
    closed.signal.addEventListener("abort", end, { once: true });
    try {
      await client.connect();
      await client.query(`LISTEN ${channel}`);
      onListening();
      heard();
      await ended.promise;
    } finally {
      closed.signal.removeEventListener("abort", end);
      // A server that is gone doesn't say goodbye.
      await Promise.race([client.end().catch(() => {}), sleep(goodbyeMs)]);
    }
  }

  async function keepListening(): Promise<void> {
    let tries = 0;
    while (!closed.signal.aborted) {
      try {
        await listen(() => {
          tries = 0;
        });
      } catch (error) {
        if (tries === 0 && !closed.signal.aborted)
          logger.info({ err: error }, "can't listen for tasks of other replicas: they are noticed within a second");
      }
      const ms = Math.min(retryMs.last, retryMs.first * 2 ** tries++);
      await sleep(ms, undefined, { signal: closed.signal }).catch(() => {});
    }
  }

  async function send(): Promise<void> {
    sending = true;
    do {
      again = false;
      await db.query("SELECT pg_notify($1, $2)", [channel, self]).catch(() => {}); // they look by themselves
    } while (again);
    sending = false;
  }

  const listening = keepListening();
  return {
    send() {
      if (closed.signal.aborted) return;
      if (sending) again = true;
      else void send();
    },
    async close() {
      closed.abort();
      await Promise.race([listening, sleep(goodbyeMs)]);
    },
  };
}
