import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "@connectrpc/connect";
import { EncoderService } from "@kinora/proto-encoder";
import { createClientTransport } from "@kinora/rpc";
import { sampleVideo, startNode, temporaryFolder } from "@kinora/testing";
import type { Conditions, Outcome, Part } from "../harness/benchmark.ts";
import { startChild } from "../harness/child.ts";
import { childrenOf } from "../harness/process-tree.ts";
import { median } from "../harness/statistics.ts";
import { formatNumber } from "../harness/table.ts";
import { atMost } from "../harness/target.ts";
import { uploadAndEncode } from "./simulated-media.ts";

/** Time from the answer to CancelEncode until every process that worked for the encode is gone: a real worker, a real encode. Reads /proc, so only on Linux. */
export const cancel: Part = {
  name: "cancel",
  about: "from cancelling a real encode until its processes are gone",
  async run(conditions: Conditions): Promise<Outcome> {
    await using folder = await disposableFolder();
    await using encoder = await startChild({
      module: new URL("./encoder-child.ts", import.meta.url).href,
      parameters: {},
    });
    const { url } = await encoder.ask<{ url: string }>("where");
    const worker = startNode("apps/encoder-worker/src/main.ts", {
      env: { ENCODER_URL: url, WORKER_TOKEN: "worker-of-the-benchmark", WORKER_SLOTS: "1", KINORA_DATA: folder.path },
    });
    const seconds: number[] = [];
    try {
      const rounds = conditions.quick ? 2 : 10;
      for (let round = 0; round < rounds; round += 1) seconds.push(await measureOnce(url, worker.pid, conditions));
    } finally {
      await worker.stop();
    }
    conditions.show({
      title: `${seconds.length} encodes, each cancelled when it works`,
      columns: ["", "median", "longest"],
      rows: [
        ["until its processes are gone", ...[median(seconds), Math.max(...seconds)].map((s) => `${formatNumber(s)} s`)],
      ],
    });
    return {
      targets: [
        atMost("from CancelEncode's answer until the CPU is free, the longest in seconds", Math.max(...seconds), 2),
      ],
      results: { seconds },
    };
  },
};

async function measureOnce(url: string, workerPid: number, { signal, note }: Conditions): Promise<number> {
  const token = `user-${crypto.randomUUID()}`;
  const transport = createClientTransport({ baseUrl: url, token, timeoutMs: 30_000 });
  const client = createClient(EncoderService, transport);
  // Slow enough that nothing ends by itself.
  const encodeId = await uploadAndEncode(url, token, await readFile(sampleVideo), { preset: "veryslow" });
  const workers = await untilBusy(workerPid, signal);
  await client.cancelEncode({ id: encodeId });
  const cancelled = performance.now();
  while (childrenOf(workerPid).some((pid) => workers.includes(pid))) await sleep(5, undefined, { signal });
  const seconds = (performance.now() - cancelled) / 1000;
  note(`${workers.length} processes gone after ${formatNumber(seconds)} s`);
  transport.close();
  return seconds;
}

/** A second of CPU time, in ticks: more than a process needs that only gets ready for its task. */
const working = 100;

/** Processes of the worker that have done so much work, as soon as there is one. */
async function untilBusy(workerPid: number, signal: AbortSignal): Promise<number[]> {
  for (;;) {
    const children = childrenOf(workerPid);
    const ticks = await Promise.all(children.map(ticksOf));
    const busy = children.filter((_, index) => (ticks[index] ?? 0) >= working);
    if (busy.length > 0) return busy;
    await sleep(100, undefined, { signal });
  }
}

/** CPU time of a process, in hundredths of a second; 0 once it is gone. */
async function ticksOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
}

async function disposableFolder() {
  const folder = await temporaryFolder("kinora-bench-worker-");
  return { ...folder, [Symbol.asyncDispose]: () => folder.remove() };
}
