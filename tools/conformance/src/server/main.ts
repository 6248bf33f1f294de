/**
 * The server under test: `node main.ts DESCRIPTORS [--verbose]`. The suite starts it, writes one ServerCompatRequest to it and reads where it listens.
 */
import { readFileSync } from "node:fs";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Access } from "@kinora/proto-common";
import { createServer } from "@kinora/rpc";
import { readContract } from "../contract/contract.ts";
import { readFrames, writeFrame } from "../frames/frames.ts";
import { stderrLogger } from "../stderr-logger.ts";
import { conformanceRoutes } from "./conformance-service.ts";

const [descriptors = "", ...flags] = process.argv.slice(2);
const contract = readContract(readFileSync(descriptors));
const first = await readFrames(process.stdin).next();
if (first.done) {
  throw new Error("the suite sent no ServerCompatRequest");
}
const wanted = fromBinary(contract.serverCompatRequest, first.value);

const credentials = wanted.useTls ? wanted.serverCreds : undefined;
const tls = credentials && {
  cert: Buffer.from(credentials.cert),
  key: Buffer.from(credentials.key),
  ...(wanted.clientTlsCert.length === 0
    ? {}
    : { ca: Buffer.from(wanted.clientTlsCert), requestClientCertificate: "required" as const }),
};
const server = createServer({
  ...(tls === undefined ? {} : { tls }),
  routes: conformanceRoutes(contract),
  authenticate: async () => ({ kind: "anonymous" }),
  accessOf: () => Access.PUBLIC,
  logger: stderrLogger(flags.includes("--verbose")),
  limits: {
    // A call without a deadline has none: the suite fails a server that reports another timeout than the one asked for.
    callMs: Number.POSITIVE_INFINITY,
    // Answers repeat what was asked and so may be larger than what may be received.
    ...(wanted.messageReceiveLimit === 0 ? {} : { messageBytes: wanted.messageReceiveLimit }),
  },
});
const { port } = await server.listen({ port: 0, host: "127.0.0.1" });
process.once("SIGTERM", () => void server.close(0));
const bound = create(contract.serverCompatResponse, {
  host: "127.0.0.1",
  port,
  ...(credentials === undefined ? {} : { pemCert: credentials.cert }),
});
await writeFrame(process.stdout, toBinary(contract.serverCompatResponse, bound));
