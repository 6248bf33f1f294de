import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { EchoService } from "@kinora/proto-common/kinora/testing/v1/echo_service_pb.js";
import { describe, expect, it } from "vitest";
import { withTransportFaults } from "./transport-faults.ts";

/** The code that a call ends with whose transport throws this, once its deadline of 1 ms has passed. */
async function codeOf(error: unknown, timeoutMs?: number): Promise<(Code | undefined)[]> {
  const fail = async (): Promise<never> => {
    const end = performance.now() + 2;
    while (performance.now() < end);
    throw error;
  };
  const transport: Transport = { unary: fail, stream: fail };
  const client = createClient(EchoService, withTransportFaults(transport, "http://x"));
  const options = timeoutMs === undefined ? {} : { timeoutMs };
  const thrown = await Promise.allSettled([
    client.echo({ text: "hello" }, options),
    Array.fromAsync(client.count({ count: 1 }, options)),
  ]);
  return thrown.map((result) => (result.status === "rejected" ? ConnectError.from(result.reason).code : undefined));
}

describe("what goes wrong on the way", () => {
  it("is the deadline, if the server cancels because of that before our timer fires", async () => {
    const canceled = new ConnectError("broke off the call", Code.Canceled);
    expect(await codeOf(canceled, 1)).toEqual([Code.DeadlineExceeded, Code.DeadlineExceeded]);
    expect(await codeOf(canceled, 60_000)).toEqual([Code.Canceled, Code.Canceled]);
    expect(await codeOf(canceled)).toEqual([Code.Canceled, Code.Canceled]);
  });

  it("isn't the caller's fault, if a reply is cut off (connect-es #1751)", async () => {
    const cut = new ConnectError("incomplete envelope", Code.InvalidArgument);
    expect(await codeOf(cut)).toEqual([Code.Unavailable, Code.Unavailable]);
  });
});
