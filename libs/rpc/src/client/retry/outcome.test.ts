import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import { lost, resetFault, unreachable } from "../faults.ts";
import { outcomeOf } from "./outcome.ts";

const wire = (code: Code) => Object.assign(new ConnectError("said by the server", code), { isWireError: true });

describe("outcomeOf", () => {
  it.each([
    ["not connected", unreachable("http://x", new Error("no")), "unseen"],
    ["refused", resetFault("http://x", 7), "unseen"],
    ["lost", lost("http://x"), "fault"],
    ["reset with an internal error", resetFault("http://x", 2), "fault"],
    ["503 of a proxy", new ConnectError("HTTP 503", Code.Unavailable), "fault"],
    ["out of time", new ConnectError("the operation timed out", Code.DeadlineExceeded), "late"],
    ["cancelled", new ConnectError("cancelled", Code.Canceled), "abandoned"],
    ["unavailable, says the server", wire(Code.Unavailable), "rejected"],
    ["exhausted, says the server", wire(Code.ResourceExhausted), "rejected"],
    ["internal, says the server", wire(Code.Internal), "ok"],
    ["not found", wire(Code.NotFound), "ok"],
    ["too long a reply", new ConnectError("too long", Code.ResourceExhausted), "ok"],
    ["anything else", new Error("?"), "ok"],
  ] as const)("%s: %3$s", (_name, error, expected) => {
    expect(outcomeOf(error)).toBe(expected);
  });
});
