import { connect } from "node:http2";
import { setTimeout as sleep } from "node:timers/promises";
import { DeployError } from "../deploy-error.ts";

const callMs = 5_000;

/**
 * Waits up to `patienceMs` until `grpc.health.v1.Health/Check` at an address says SERVING.
 * @throws DeployError with its last answer when it doesn't come to that
 */
export async function untilHealthy(url: string, signal: AbortSignal, patienceMs: number): Promise<void> {
  const address = parse(url);
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const answer = await askHealth(address, signal).catch((error: Error) => error.message);
    if (answer === "SERVING") return;
    signal.throwIfAborted();
    if (Date.now() > deadline) throw new DeployError(`${url} isn't healthy (${answer}), so nothing is recorded.`);
    await sleep(500, undefined, { signal });
  }
}

function parse(url: string): URL {
  const address = URL.canParse(url) ? new URL(url) : undefined;
  if (address?.protocol === "http:" || address?.protocol === "https:") return address;
  throw new DeployError(`--health: "${url}" is no address such as http://host:port.`);
}

/** By name of the enumeration grpc.health.v1.HealthCheckResponse.ServingStatus. */
const states = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];

/**
 * One call over gRPC, written out: an empty request (the server as a whole), and an answer of one field (1, a varint).
 * A client library would bring more than these lines, and this tool is to stand alone.
 */
function askHealth(address: URL, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const session = connect(address.origin);
    const failed = (error: Error): void => {
      session.destroy();
      reject(error);
    };
    session.on("error", failed);
    const call = session.request(
      {
        ":method": "POST",
        ":path": "/grpc.health.v1.Health/Check",
        "content-type": "application/grpc+proto",
        te: "trailers",
      },
      { signal: AbortSignal.any([signal, AbortSignal.timeout(callMs)]) },
    );
    const chunks: Buffer[] = [];
    let status: string | undefined;
    const note = (headers: Record<string, unknown>): void => {
      if (headers["grpc-status"] !== undefined) status = String(headers["grpc-status"]);
    };
    call.on("response", note).on("trailers", note).on("error", failed);
    call.on("data", (chunk: Buffer) => chunks.push(chunk));
    call.on("end", () => {
      session.close();
      if (status !== "0")
        return reject(new Error(status === undefined ? "it doesn't speak gRPC" : `gRPC status ${status}`));
      const message = Buffer.concat(chunks).subarray(5);
      resolve(states[message[0] === 0x08 ? (message[1] ?? 0) : 0] ?? "UNKNOWN");
    });
    call.end(Buffer.alloc(5));
  });
}
