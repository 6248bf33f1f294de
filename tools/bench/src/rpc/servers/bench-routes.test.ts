import { createClient, createRouterTransport } from "@connectrpc/connect";
import { BenchService } from "@kinora/proto-common/kinora/testing/v1/bench_service_pb.js";
import { expect, test } from "vitest";
import { benchRoutes } from "./bench-routes.ts";

const user = { id: "u-1" };

test("a pool's place goes to whoever waits longest, and past those who have left", async () => {
  const client = createClient(BenchService, createRouterTransport(benchRoutes({ kind: "pool", size: 1, ms: 5 })));
  const order: string[] = [];
  const leaver = new AbortController();
  const call = (name: string, signal?: AbortSignal) =>
    client.getUser(user, signal === undefined ? {} : { signal }).then(
      () => order.push(name),
      () => order.push(`${name} left`),
    );
  const calls = [call("first"), call("second", leaver.signal), call("third"), call("fourth")];
  leaver.abort();
  await Promise.all(calls);
  expect(order.filter((name) => !name.endsWith("left"))).toEqual(["first", "third", "fourth"]);
  // The place is free again.
  await call("fifth");
  expect(order.at(-1)).toBe("fifth");
});

test("a stream has as many messages as were asked for, of that size", async () => {
  const client = createClient(BenchService, createRouterTransport(benchRoutes()));
  const sizes: number[] = [];
  for await (const { payload } of client.watchUser({ count: 3, bytes: 10 })) {
    sizes.push(payload.length);
  }
  expect(sizes).toEqual([10, 10, 10]);
});
