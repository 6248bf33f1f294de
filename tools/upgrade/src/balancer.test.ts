import { once } from "node:events";
import { connect, createServer } from "node:net";
import { text } from "node:stream/consumers";
import { expect, it } from "vitest";
import { startBalancer } from "./balancer.ts";

async function replica(answer: string) {
  const server = createServer((socket) => socket.end(answer)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return { port: typeof address === "object" && address ? address.port : 0, close: () => server.close() };
}

it("gives new connections to the replicas that are to have them, in turn", async () => {
  const [a, b] = [await replica("a"), await replica("b")];
  const balancer = await startBalancer();
  const ask = () => text(connect(balancer.port, "127.0.0.1"));
  balancer.use([a.port]);
  expect(await ask()).toBe("a");
  balancer.use([a.port, b.port]);
  expect([await ask(), await ask()].sort()).toEqual(["a", "b"]);
  balancer.use([b.port]);
  expect([await ask(), await ask()]).toEqual(["b", "b"]);
  balancer.use([]);
  expect(await ask().catch(() => "")).toBe("");
  await balancer.close();
  a.close();
  b.close();
});
