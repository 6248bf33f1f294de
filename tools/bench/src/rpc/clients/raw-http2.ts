import { type ClientHttp2Session, connect } from "node:http2";
import type { BenchClient } from "./bench-client.ts";
import type { RawSpec } from "./client-spec.ts";

/** The exchange of a unary call with `node:http2` alone: constant bytes out, the answer's bytes counted and thrown away, the status looked at. */
export function createRawHttp2Client(spec: RawSpec): BenchClient {
  const body = Buffer.from(spec.body, "base64");
  const headers = { ":method": "POST", ":path": spec.path, ...spec.headers };
  const grpc = spec.headers["content-type"] === "application/grpc";
  const sessions = Array.from({ length: spec.connections }, () => open(spec.target));
  let next = 0;
  let dataBytes = 0;

  function exchange(session: ClientHttp2Session): Promise<void> {
    return new Promise((resolve, reject) => {
      const stream = session.request(headers);
      let status = grpc ? "no gRPC status" : "0";
      stream.on("response", (fields) => {
        if (fields[":status"] !== 200) {
          status = `HTTP ${fields[":status"]}`;
        } else if (fields["grpc-status"] !== undefined) {
          status = String(fields["grpc-status"]);
        }
      });
      stream.on("trailers", (fields) => {
        status = String(fields["grpc-status"] ?? "no gRPC status");
      });
      stream.on("data", (chunk: Buffer) => {
        dataBytes += chunk.length;
      });
      stream.on("end", () => (status === "0" ? resolve() : reject(new Error(status))));
      stream.on("error", reject);
      stream.on("close", () => reject(new Error("closed early")));
      stream.end(body);
    });
  }

  return {
    call() {
      const session = sessions[next++ % sessions.length];
      return session === undefined ? Promise.reject(new Error("no connection")) : exchange(session);
    },
    dataBytes: () => dataBytes,
    close() {
      for (const session of sessions) {
        session.close();
      }
    },
  };
}

function open(target: string): ClientHttp2Session {
  const session = connect(target);
  // Its calls fail by themselves.
  session.on("error", () => {});
  return session;
}
