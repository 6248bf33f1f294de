import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import type { ClientCallSpan } from "./call-telemetry.ts";
import { watchUnary } from "./watch-call.ts";

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
