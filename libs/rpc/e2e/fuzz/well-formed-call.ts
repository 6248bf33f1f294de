import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from "node:http2";
import { setTimeout as sleep } from "node:timers/promises";
import { Code } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import { requestFields } from "./headers.ts";
import { body } from "./messages.ts";
import type { Random } from "./random.ts";

type Reply = { headers: IncomingHttpHeaders; trailers: IncomingHttpHeaders; content: Buffer; reset: number };

const codes = new Set(
  Object.values(Code)
    .filter((code) => typeof code === "number")
    .map((code) => codeToString(code)),
);

/** Makes a call that is HTTP/2 at least, and says what is wrong with its answer. */
export async function checkCall(random: Random, port: number): Promise<string | undefined> {
  const headers: OutgoingHttpHeaders = {};
  for (const [name, value] of requestFields(random)) {
    headers[name] ??= value;
  }
  const type = String(headers["content-type"] ?? "");
  const session = connect(`http://127.0.0.1:${port}`).on("error", () => {});
  try {
    const stream = request(session, headers);
    if (stream === undefined) {
      return undefined;
    }
    const reply = replyOf(stream);
    stream.end(body(type, random));
    const answer = await Promise.race([reply, sleep(8_000, undefined, { ref: false })]);
    return answer === undefined ? `no answer to ${JSON.stringify(headers)}` : wrongWith(answer, headers);
  } finally {
    session.destroy();
  }
}

/** Undefined for headers that Node doesn't send. */
function request(session: ClientHttp2Session, headers: OutgoingHttpHeaders): ClientHttp2Stream | undefined {
  try {
    return session.request(headers, { endStream: false }).on("error", () => {});
  } catch {
    return undefined;
  }
}

function replyOf(stream: ClientHttp2Stream): Promise<Reply> {
  const { promise, resolve } = Promise.withResolvers<Reply>();
  let headers: IncomingHttpHeaders = {};
  let trailers: IncomingHttpHeaders = {};
  const chunks: Buffer[] = [];
  stream.on("response", (fields) => {
    headers = fields;
  });
  stream.on("trailers", (fields) => {
    trailers = fields;
  });
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.on("close", () => resolve({ headers, trailers, content: Buffer.concat(chunks), reset: stream.rstCode }));
  return promise;
}

function wrongWith({ headers, trailers, content, reset }: Reply, asked: OutgoingHttpHeaders) {
  const status = Number(headers[":status"]);
  if (Number.isNaN(status)) {
    // Headers that break the protocol end the stream, or the connection, at once.
    return reset === 0 && asked[":method"] === "POST" && asked["content-length"] === undefined
      ? `no answer, and no reset: ${JSON.stringify(asked)}`
      : undefined;
  }
  if (status < 200 || status > 599) {
    return `status ${status}`;
  }
  const answered = headers["content-type"] ?? "";
  if (answered.startsWith("application/grpc") && !answered.startsWith("application/grpc-web") && reset === 0) {
    const grpc = headers["grpc-status"] ?? trailers["grpc-status"];
    return /^(\d|1[0-6])$/.test(String(grpc)) ? undefined : `grpc-status ${grpc} to ${JSON.stringify(asked)}`;
  }
  if (answered === "application/json" && status >= 400 && asked[":method"] !== "HEAD") {
    const code = codeIn(content);
    return codes.has(code) ? undefined : `status ${status} with code ${code} to ${JSON.stringify(asked)}`;
  }
  return undefined;
}

function codeIn(content: Buffer): string {
  try {
    return String(JSON.parse(content.toString()).code);
  } catch {
    return `(no JSON: ${content.toString().slice(0, 100)})`;
  }
}
