import { createClientTransport } from "@kinora/rpc";
import { sampleVideo, temporaryFolder, waitUntil } from "@kinora/testing";
import { expect, it } from "vitest";
import { recordedLogger } from "./testing/recorded-logger.ts";
import { startScriptedEncoder, workerToken } from "./testing/scripted-encoder.ts";
import { createWorker } from "./worker.ts";

const probe = { case: "probe", value: {} } as const;

it("a worker that retires ends what it has and leases nothing more", async () => {
  const { logger } = recordedLogger();
  const folder = await temporaryFolder("kinora-worker-");
  await using encoder = await startScriptedEncoder(logger);
  const transport = createClientTransport({ baseUrl: encoder.url, token: workerToken });
  const retire = new AbortController();
  const worker = createWorker({
    transport,
    spoolDir: folder.path,
    slots: 1,
    workerId: "w",
    logger,
    retire: retire.signal,
  });
  await encoder.offer(probe, sampleVideo);
  const running = worker.run(new AbortController().signal);
  await waitUntil("it has the task", () => encoder.leases() === 1);
  await encoder.offer(probe, sampleVideo);
  retire.abort();
  await running;
  expect(encoder.completed).toHaveLength(1);
  expect(encoder.failed).toEqual([]);
  expect(encoder.leases()).toBe(1);
  transport.close();
  await folder.remove();
});
