import { Code, ConnectError, type StreamResponse } from "@connectrpc/connect";
import { EchoService } from "@kinora/proto-common/kinora/testing/v1/echo_service_pb.js";
import { describe, expect, it } from "vitest";
import type { ClientCallSpan } from "./call-telemetry.ts";
import { watchStream, watchUnary } from "./watch-call.ts";

function recordingSpan() {
  const ends: [Code | "ok", unknown][] = [];
  const span: ClientCallSpan = {
    trace: undefined,
    context: undefined,
    enter: undefined,
    inject() {},
    end: (outcome, error) => void ends.push([outcome, error]),
  };
  return { span, ends };
}

describe("the span of a call that is made", () => {
  it("ends well with its answer", async () => {
    const { span, ends } = recordingSpan();
    expect(await watchUnary(span, 0, async () => "answer")).toBe("answer");
    expect(ends).toEqual([["ok", undefined]]);
  });

  it.each([
    ["a rejection", () => Promise.reject(new ConnectError("no", Code.NotFound)), Code.NotFound],
    [
      "what is thrown before it is sent",
      () => {
        throw new ConnectError("too large", Code.ResourceExhausted);
      },
      Code.ResourceExhausted,
    ],
    ["an abort", () => Promise.reject(new DOMException("aborted", "AbortError")), Code.Canceled],
    ["a fault in the code", () => Promise.reject(new TypeError("x is undefined")), Code.Unknown],
  ])("ends with %s, which the caller gets", async (_what, make: () => Promise<never>, code) => {
    const { span, ends } = recordingSpan();
    const failure = await (async () => watchUnary(span, 0, make))().catch((error: unknown) => error);
    expect(ends).toEqual([[code, failure]]);
  });
});

describe("the span of a call with streams", () => {
  const { count } = EchoService.method;
  type Response = StreamResponse<typeof count.input, typeof count.output>;

  /** A response of the numbers 1, 2 and 3; then it fails, if it is told how. */
  function respond(failure?: Error) {
    let returned = false;
    async function* messages() {
      try {
        for (let number = 1; number <= 3; number++) {
          yield { $typeName: "kinora.testing.v1.CountResponse" as const, number };
        }
        if (failure !== undefined) throw failure;
      } finally {
        returned = true;
      }
    }
    const response: Response = {
      stream: true,
      service: EchoService,
      method: count,
      header: new Headers(),
      trailer: new Headers(),
      message: messages(),
    };
    return { make: async () => response, returned: () => returned };
  }

  it("ends well with the last message", async () => {
    const { span, ends } = recordingSpan();
    const { message } = await watchStream(span, 0, respond().make);
    expect(ends).toEqual([]);
    expect((await Array.fromAsync(message)).map(({ number }) => number)).toEqual([1, 2, 3]);
    expect(ends).toEqual([["ok", undefined]]);
  });

  it("ends with the failure of the stream, or of the call", async () => {
    const failure = new ConnectError("no more", Code.Aborted);
    const { span, ends } = recordingSpan();
    const { message } = await watchStream(span, 0, respond(failure).make);
    await expect(Array.fromAsync(message)).rejects.toBe(failure);
    expect(ends).toEqual([[Code.Aborted, failure]]);

    const other = recordingSpan();
    await expect(watchStream(other.span, 0, () => Promise.reject(failure))).rejects.toBe(failure);
    expect(other.ends).toEqual([[Code.Aborted, failure]]);
  });

  it("ends as cancelled, once, where the caller reads no further; the stream hears of it", async () => {
    const { span, ends } = recordingSpan();
    const { make, returned } = respond();
    const { message } = await watchStream(span, 0, make);
    for await (const { number } of message) {
      if (number === 2) break;
    }
    expect(ends).toEqual([[Code.Canceled, undefined]]);
    expect(returned()).toBe(true);
  });
});
