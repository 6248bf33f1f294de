import { createClientTransport } from "@kinora/rpc";
import { sampleVideo, temporaryFolder, waitUntil } from "@kinora/testing";
import { expect, it } from "vitest";
import { recordedLogger } from "./testing/recorded-logger.ts";
import { startScriptedEncoder, workerToken } from "./testing/scripted-encoder.ts";
import { createWorker } from "./worker.ts";

const probe = { case: "probe", value: {} } as const;

it("a worker that retires ends what it has and leases nothing more", async () => {
  const { logger, lines } = recordedLogger();
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
  // As many as it does at the same time beside its slots.
  for (let count = 0; count < 2; count++) await encoder.offer(probe, sampleVideo);
  const running = worker.run(new AbortController().signal);
  // An answer on its way would be lost: the lease expires then.
  const begun = () => lines.filter(({ message }) => message === "task started");
  await waitUntil("it has the tasks", () => begun().length === 2);
  await encoder.offer(probe, sampleVideo);
  retire.abort();
  await running;
  expect(encoder.completed).toHaveLength(2);
  expect(encoder.failed).toEqual([]);
  expect(encoder.leases()).toBe(2);
  transport.close();
  await folder.remove();
});
