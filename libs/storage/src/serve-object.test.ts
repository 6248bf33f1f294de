import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { ObjectStore } from "./object-store.ts";
import { serveObject } from "./serve-object.ts";

const stat = { bytes: 10, etag: '"e"', modified: new Date(0) };
/** What happens while the store is asked. */
let meanwhile: (response: http.ServerResponse) => Promise<void>;
let answer: http.ServerResponse;
let body: Readable;
let served: Promise<void>;
const store: Pick<ObjectStore, "get" | "stat"> = {
  stat: async () => stat,
  async get() {
    await meanwhile(answer);
    body = Readable.from([Buffer.alloc(10)]);
    return { stat, body };
  },
};
const server = http.createServer((request, response) => {
  answer = response;
  served = serveObject(store, "key", request, response);
});

beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

it.each([
  ["all", {}],
  ["a part", { range: "bytes=0-4" }],
])("closes what a client wanted that has gone before it came: %s of an object", async (_what, headers) => {
  const { port } = server.address() as AddressInfo;
  const request = http.get({ port, host: "127.0.0.1", headers }).on("error", () => {});
  await new Promise<void>((resolve) => {
    meanwhile = async (response) => {
      const left = once(response, "close");
      request.destroy();
      await left;
      resolve();
    };
  });
  await served;
  expect(body.destroyed).toBe(true);
});
