import { parseStorageUrl } from "@kinora/storage";
import { type S3Server, startS3Server, waitUntil } from "@kinora/testing";
import { afterAll, expect, it, vi } from "vitest";
import { lease, must, startEncoder, startOne } from "../src/testing/harness.ts";
import { useEncoder } from "../src/testing/use-encoder.ts";

let server: S3Server;
const installation = useEncoder(async (folder) => {
  server = await startS3Server(folder);
  for (const [name, value] of Object.entries(server.env)) vi.stubEnv(name, value);
  return must(parseStorageUrl(server.url("team")));
});
afterAll(() => server?.stop());

const range = { headers: { range: "bytes=0-5" } };

it("a worker's address of the source ends, and a heartbeat has brought another before", async () => {
  const encoder = await startEncoder({ ...installation, sourceUrlSeconds: 4 });
  await startOne(encoder.person());
  const task = await lease(encoder.worker);
  const read = await fetch(task.sourceUrl, range);
  expect([read.status, await read.text()]).toEqual([206, "source"]);
  const beat = () => encoder.worker.heartbeat({ lease: must(task.lease) });
  await waitUntil("the first address has ended", async () => {
    const { sourceUrl } = await beat();
    // Whoever goes by heartbeats can read at any time.
    if (sourceUrl !== "") expect((await fetch(sourceUrl, range)).status).toBe(206);
    return (await fetch(task.sourceUrl, range)).status === 403;
  });
  const { sourceUrl } = await beat();
  expect(new URL(sourceUrl).origin).toBe(server.endpoint);
  expect(sourceUrl).not.toBe(task.sourceUrl);
  expect((await fetch(sourceUrl, range)).status).toBe(206);
  await encoder.close();
});
