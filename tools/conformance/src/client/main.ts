/**
 * The client under test: `node main.ts DESCRIPTORS [--verbose]`. The suite starts it, writes ClientCompatRequests to it and reads a ClientCompatResponse for each.
 */
import { readFileSync } from "node:fs";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { readContract } from "../contract/contract.ts";
import type { ClientCompatRequest } from "../contract/messages.ts";
import { readFrames, writeFrame } from "../frames/frames.ts";
import { stderrLogger } from "../stderr-logger.ts";
import { makeCall } from "./make-call.ts";
import { createTransports } from "./transports.ts";

/** Many calls only wait, for as long as the suite tells them to. */
const atATime = 32;

const [descriptors = "", ...flags] = process.argv.slice(2);
const contract = readContract(readFileSync(descriptors));
const transports = createTransports(contract, stderrLogger(flags.includes("--verbose")));
process.once("SIGTERM", () => process.exit(1));

async function answer(asked: ClientCompatRequest): Promise<void> {
  const { testName } = asked;
  const result = await makeCall(contract, transports.for(asked), asked).then(
    (value) => ({ case: "response" as const, value: create(contract.clientResponseResult, value) }),
    (error) => ({ case: "error" as const, value: create(contract.clientErrorResult, { message: String(error) }) }),
  );
  const response = create(contract.clientCompatResponse, { testName, result });
  await writeFrame(process.stdout, toBinary(contract.clientCompatResponse, response));
}

const underWay = new Set<Promise<void>>();
for await (const bytes of readFrames(process.stdin)) {
  const asked = fromBinary(contract.clientCompatRequest, bytes);
  const answering = answer(asked).finally(() => underWay.delete(answering));
  underWay.add(answering);
  if (underWay.size >= atATime) {
    await Promise.race(underWay);
  }
}
await Promise.all(underWay);
transports.close();
