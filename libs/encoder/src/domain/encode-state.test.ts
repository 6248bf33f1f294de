import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type EncodeEvent, type EncodeState, encodeEvents, encodeStates, isFinal, transition } from "./encode-state.ts";

const happy: EncodeEvent[] = ["probe leased", "probed", "planned", "work leased", "encoded", "published"];

/** Follows events from `queued`; the ones that can't happen are passed over. */
const follow = (events: EncodeEvent[]): EncodeState[] => {
  let state: EncodeState = "queued";
  return [state, ...events.map((event) => (state = transition(state, event) ?? state))];
};

describe("transition", () => {
  it("leads from queued to succeeded", () => {
    expect(follow(happy)).toEqual(["queued", "probing", "planning", "planned", "encoding", "verifying", "succeeded"]);
  });

  it("goes back to waiting when a task is handed back that is all of its work, and on from there", () => {
    const again: EncodeEvent[] = [
      "probe leased",
      "probe handed back",
      ...happy.slice(0, 4),
      "whole encode handed back",
    ];
    expect(follow([...again, "work leased", "published"])).toEqual([
      "queued",
      "probing",
      "queued",
      "probing",
      "planning",
      "planned",
      "encoding",
      "planned",
      "encoding",
      "succeeded",
    ]);
  });

  it("begins again where it was when a failed one is tried again", () => {
    expect(follow(["failed", "retried unprobed", "probe leased"]).at(-1)).toBe("probing");
    expect(follow([...happy.slice(0, 4), "failed", "retried", "planned"]).at(-1)).toBe("planned");
  });

  it("is planned anew, and goes the whole way again, when the workers of its encoder family are gone", () => {
    expect(follow([...happy.slice(0, 4), "family gone", "planned", "work leased", "encoded", "published"])).toEqual([
      ...follow(happy.slice(0, 4)),
      ...["planning", "planned", "encoding", "verifying", "succeeded"],
    ]);
    expect(transition("verifying", "family gone")).toBeUndefined();
  });

  it.each(encodeStates.filter((state) => !isFinal(state)))("%s can fail and be cancelled", (state) => {
    expect(transition(state, "failed")).toBe("failed");
    expect(transition(state, "cancelled")).toBe("cancelled");
  });

  const anyEvents = fc.array(fc.constantFrom(...encodeEvents), { maxLength: 40 });

  it("never leaves a final state, unless a failed one is tried again", () => {
    fc.assert(
      fc.property(anyEvents, (events) => {
        const states = follow(events.filter((event) => !event.startsWith("retried")));
        const end = states.findIndex(isFinal);
        if (end >= 0) expect(new Set(states.slice(end)).size).toBe(1);
      }),
    );
  });

  it("publishes only what was queued, planned and encoded, in this order", () => {
    fc.assert(
      fc.property(anyEvents, (events) => {
        const states = follow(events);
        if (states.at(-1) !== "succeeded") return;
        const firsts = (["queued", "planning", "planned"] as const).map((state) => states.indexOf(state));
        expect(firsts).toEqual(firsts.toSorted((a, b) => a - b));
        expect(firsts).not.toContain(-1);
      }),
      { numRuns: 2000 },
    );
  });

  it("ignores the same event twice", () => {
    fc.assert(
      fc.property(fc.constantFrom(...encodeStates), fc.constantFrom(...encodeEvents), (state, event) => {
        const next = transition(state, event);
        if (next !== undefined) expect(transition(next, event)).toBeUndefined();
      }),
    );
  });
});
