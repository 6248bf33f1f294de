import type { Database } from "@kinora/database";
import { openTestDatabase } from "@kinora/database/testing";
import type { S3Settings } from "@kinora/storage";
import { temporaryFolder } from "@kinora/testing";
import { afterAll, beforeAll } from "vitest";
import { migrations } from "../migrations.ts";
import { createFakeQuota, type FakeQuota } from "./fake-quota.ts";
import { type Harness, startEncoder } from "./harness.ts";

/** What a test file works with; `encoder` is another one after a restart. */
export type Installation = {
  readonly encoder: Harness;
  readonly database: Database;
  readonly dataDir: string;
  readonly quota: FakeQuota;
  readonly s3: S3Settings | undefined;
  /** Stops the service and starts it again on the same data. */
  restart(): Promise<void>;
};

/**
 * Starts an encoder with a database of its own for a test file, and ends it after the last test.
 * @param openStorage starts what it keeps objects in; without it, a folder
 */
export function useEncoder(
  openStorage?: (folder: string) => Promise<S3Settings>,
  { triesElsewhere = false, gpuPatienceSeconds = 0 } = {},
): Installation {
  const quota = createFakeQuota();
  let folder: Awaited<ReturnType<typeof temporaryFolder>> | undefined;
  let database: Database | undefined;
  let encoder: Harness | undefined;
  let s3: S3Settings | undefined;
  const started = <T>(part: T | undefined): T => {
    if (part === undefined) throw new Error("The encoder isn't started.");
    return part;
  };
  const start = () => {
    const { dataDir } = installation;
    return startEncoder({ database: started(database), dataDir, quota, s3, triesElsewhere, gpuPatienceSeconds });
  };
  const installation: Installation = {
    quota,
    get encoder() {
      return started(encoder);
    },
    get database() {
      return started(database);
    },
    get dataDir() {
      return started(folder).path;
    },
    get s3() {
      return s3;
    },
    async restart() {
      await encoder?.close();
      encoder = await start();
    },
  };
  beforeAll(async () => {
    folder = await temporaryFolder();
    database = await openTestDatabase("encoder", migrations);
    await noteFleet(database);
    s3 = await openStorage?.(folder.path);
    encoder = await start();
  }, 600_000);
  afterAll(async () => {
    await encoder?.close();
    await database?.close();
    await folder?.remove();
  });
  return installation;
}

/** A fleet of two slots: ten seconds in segments of four are three chunks for it. */
export async function noteFleet({ pool }: Database): Promise<void> {
  await pool.query(
    "INSERT INTO workers (id, slots, cores, memory_bytes, encoders, seen_at) VALUES ('fleet', 2, 2, 0, '{cpu}', now() + interval '1 day')",
  );
}

/** Takes videos, tasks, turns and workers away, as at the beginning. */
export async function emptyEncoder(database: Database): Promise<void> {
  const { pool } = database;
  await pool.query("DELETE FROM videos");
  await pool.query("DELETE FROM encoder_queue.job WHERE name LIKE 'encode.%' OR name LIKE 'media.%'");
  await pool.query("DELETE FROM workers");
  await noteFleet(database);
  await pool.query("DELETE FROM fair_shares");
}
