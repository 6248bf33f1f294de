/** A worker of the `scale` part: one chunk after the other, with one thread for each encoder and decoder. */
import type { ChunkPlan, EncodePlan } from "@kinora/media";
import { answerParent } from "../harness/child.ts";
import { encodeChunk, scratch, warmChildren } from "./kinora-encode.ts";

/** What a worker is started with: where it keeps compiled code. */
export type WorkerParameters = { compiledDir: string };

/** What the parent asks for. */
export type ChunkJob = { sourceUrl: string; plan: EncodePlan; chunk: ChunkPlan };

const stop = new AbortController();
const { compiledDir } = JSON.parse(process.argv[2] ?? "{}") as WorkerParameters;
const ready = warmChildren(compiledDir);

answerParent(
  {
    encode: async ({ sourceUrl, plan, chunk }: ChunkJob) => {
      await using out = await scratch();
      const { frames } = await encodeChunk(sourceUrl, plan, chunk, {
        signal: stop.signal,
        outDir: out.path,
        threads: 1,
      });
      return frames;
    },
  },
  async () => {
    stop.abort();
    await ready[Symbol.asyncDispose]();
  },
);
