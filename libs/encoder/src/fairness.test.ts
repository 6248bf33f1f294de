import { Priority, type Task } from "@kinora/proto-encoder";
import { beforeEach, describe, expect, it } from "vitest";
import { kinds, lease, must, type Person, soon, uploadVideo, work } from "./testing/harness.ts";
import { emptyEncoder, useEncoder } from "./testing/use-encoder.ts";

const installation = useEncoder();

beforeEach(() => emptyEncoder(installation.database));

const chunkOf = (task: Task) => (task.work.case === "encodeChunk" ? task.work.value.chunk?.index : undefined);
const stateOf = async (id: string) =>
  (await installation.database.pool.query<{ state: string }>("SELECT state FROM encodes WHERE id = $1", [id])).rows[0]
    ?.state;

describe("the queue", () => {
  const startMany = async (person: Person, count: number, priority: Priority = Priority.NORMAL) => {
    const ids: string[] = [];
    for (let index = 0; index < count; index += 1) {
      const videoId = await uploadVideo(person);
      const settings = { segmentSeconds: 4 };
      ids.push(must((await person.encoder.startEncode({ videoId, settings, priority })).encode).id);
    }
    return ids;
  };
  /** Does everything but chunks, until nothing else is left. */
  const prepare = async (done: (task: Task) => void | Promise<void> = () => {}) => {
    const { worker } = installation.encoder;
    const lightOnly = { workerId: "light", encoders: [], kinds, wait: { seconds: 2n, nanos: 0 } };
    for (;;) {
      const { task } = await worker.leaseTask(lightOnly);
      if (task === undefined) return;
      await work(worker, task);
      await done(task);
    }
  };

  it("lets people take turns, and puts a high priority first", async () => {
    const { worker, ...encoder } = installation.encoder;
    const [busy, modest, urgent] = [encoder.person(), encoder.person(), encoder.person()];
    const many = await startMany(busy, 4);
    await prepare();
    const few = await startMany(modest, 1);
    const first = await startMany(urgent, 1, Priority.HIGH);
    await prepare();
    const order: string[] = [];
    for (let index = 0; index < 10; index += 1) {
      const task = await lease(worker);
      expect(chunkOf(task)).toBeDefined();
      order.push(many.includes(task.encodeId) ? "busy" : few.includes(task.encodeId) ? "modest" : "urgent");
    }
    expect(first).toHaveLength(1);
    expect(order.slice(0, 3)).toEqual(["urgent", "urgent", "urgent"]);
    expect(order.slice(3).filter((who) => who === "modest")).toHaveLength(3);
  });

  it("lets people take turns at light work by encodes, and ends an encode that has begun before it looks at the next", async () => {
    const { encoder } = installation;
    const [busy, modest] = [encoder.person(), encoder.person()];
    const many = await startMany(busy, 4);
    const few = await startMany(modest, 2);
    const order: string[] = [];
    await prepare(async ({ encodeId, work: { case: kind } }) => {
      const index = many.indexOf(encodeId);
      order.push(`${kind} of ${index < 0 ? `modest ${few.indexOf(encodeId)}` : `busy ${index}`}`);
      // The plan is made, and its tasks are there.
      if (kind === "probe") await expect.poll(() => stateOf(encodeId), soon).not.toMatch(/probing|planning/);
    });
    const probes = order.filter((line) => line.startsWith("probe")).map((line) => line.replace("probe of ", ""));
    expect([...probes.slice(0, 4)].sort()).toEqual(["busy 0", "busy 1", "modest 0", "modest 1"]);
    expect(probes.slice(4)).toEqual(["busy 2", "busy 3"]);
    const at = (line: string) => order.indexOf(line);
    for (const [one, next] of [
      ["busy 0", "busy 1"],
      ["modest 0", "modest 1"],
      ["busy 2", "busy 3"],
    ]) {
      for (const kind of ["analyse", "audio"]) expect(at(`${kind} of ${one}`)).toBeLessThan(at(`probe of ${next}`));
    }
  });

  it("lets nobody have more than their share in the hands of workers", async () => {
    const { worker, ...encoder } = installation.encoder;
    const [busy, other] = [encoder.person(), encoder.person()];
    await startMany(busy, 3);
    await prepare();
    // The installation's cap is 5 in these tests.
    const taken = [];
    for (let index = 0; index < 5; index += 1) taken.push(await lease(worker));
    const none = { workerId: "w", encoders: ["cpu"], kinds, wait: { seconds: 1n, nanos: 0 } };
    expect((await worker.leaseTask(none)).task).toBeUndefined();
    const [others] = await startMany(other, 1);
    await prepare();
    expect((await lease(worker)).encodeId).toBe(others);
    await work(worker, must(taken[0]));
    expect((await lease(worker)).encodeId).not.toBe(others);
  });
});
