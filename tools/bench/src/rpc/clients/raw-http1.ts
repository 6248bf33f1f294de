import { Agent, request as httpRequest } from "node:http";
import type { BenchClient } from "./bench-client.ts";
import type { RawSpec } from "./client-spec.ts";

/** The same over HTTP/1.1 with `node:http` alone. */
export function createRawHttp1Client(spec: RawSpec): BenchClient {
  const { hostname, port } = new URL(spec.target);
  const agent = new Agent({ keepAlive: true });
  const body = Buffer.from(spec.body, "base64");
  const options = {
    agent,
    hostname,
    port,
    path: spec.path,
    method: "POST",
    headers: { "content-length": body.length, ...spec.headers },
  };
  let dataBytes = 0;
  return {
    call() {
      return new Promise((resolve, reject) => {
        const request = httpRequest(options, (response) => {
          response.on("data", (chunk: Buffer) => {
            dataBytes += chunk.length;
          });
          response.on("error", reject);
          response.on("end", () =>
            response.statusCode === 200 ? resolve() : reject(new Error(`HTTP ${response.statusCode}`)),
          );
        });
        request.on("error", reject);
        request.end(body);
      });
    },
    dataBytes: () => dataBytes,
    close: () => agent.destroy(),
  };
}
