import { rm } from "node:fs/promises";
import { join } from "node:path";
import { PutError, putFile } from "./put-file.ts";
import { retry } from "./retry.ts";

/** Brings a task's finished files from the spool folder to where the encoder wants them. */
export type Uploader = {
  /** Resolves once the file has arrived and is deleted here; rejects when it can't be brought there. */
  add(path: string, bytes: number): Promise<void>;
  /** Files that wait or are under way. */
  pending(): number;
};

/** A finished file, and where to bring it; an empty content type stands for none. */
type FinishedFile = { path: string; bytes: bigint };
type UploadAddress = { url: string; contentType: string };

type Job = FinishedFile & { address?: UploadAddress; resolve(): void; reject(error: unknown): void };

/** Uploads at the same time, and paths for which addresses are asked at once. */
const parallel = 4;
const batch = 64;

/**
 * Asks for addresses in batches and uploads a few files at a time. The number of waiting files is bounded by whoever adds them: the encode waits
 * while too many promises of `add` are unsettled.
 * @param addresses asks for one address per file; its errors fail the files concerned
 */
export function createUploader(deps: {
  folder: string;
  addresses: (files: FinishedFile[]) => Promise<UploadAddress[]>;
  giveUpMs: number;
  signal: AbortSignal;
}): Uploader {
  const { folder, addresses, giveUpMs, signal } = deps;
  const waiting: Job[] = [];
  const ready: Job[] = [];
  let active = 0;
  let asking = false;

  function pump(): void {
    while (active < parallel) {
      const job = ready.shift();
      if (job === undefined) break;
      active++;
      upload(job)
        .then(job.resolve, job.reject)
        .finally(() => {
          active--;
          pump();
        });
    }
    if (!asking && waiting.length > 0 && ready.length < parallel) {
      asking = true;
      const jobs = waiting.splice(0, batch);
      addressed(jobs)
        .then(
          () => ready.push(...jobs),
          (error) => {
            for (const job of jobs) job.reject(error);
          },
        )
        .finally(() => {
          asking = false;
          pump();
        });
    }
  }

  async function addressed(jobs: Job[]): Promise<void> {
    const given = await addresses(jobs.map(({ path, bytes }) => ({ path, bytes })));
    for (const [index, job] of jobs.entries()) {
      const address = given[index];
      if (address === undefined) {
        throw new Error(`The encoder gave ${given.length} upload addresses for ${jobs.length} files.`);
      }
      job.address = address;
    }
  }

  async function upload(job: Job): Promise<void> {
    const file = join(folder, job.path);
    try {
      await send(job, file);
    } catch (error) {
      // An address lives for a limited time; whether the lease does is answered by asking for another one.
      if (!(error instanceof PutError) || error.status < 400 || error.status >= 500 || error.transient) {
        throw error;
      }
      await addressed([job]);
      await send(job, file);
    }
    await rm(file, { force: true });
  }

  const send = (job: Job, file: string) =>
    retry(() => putFile(job.address?.url ?? "", file, { contentType: job.address?.contentType ?? "", signal }), {
      signal,
      giveUpMs,
      transient: (error) => error instanceof PutError && error.transient,
    });

  return {
    add(path, bytes) {
      return new Promise((resolve, reject) => {
        waiting.push({ path, bytes: BigInt(bytes), resolve, reject });
        pump();
      });
    },
    pending: () => waiting.length + ready.length + active,
  };
}
