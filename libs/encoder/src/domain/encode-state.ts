/** Where an encode stands. `planning`: probed, and waits for its plan and quota; callers see it as still being probed. */
export const encodeStates = [
  "queued",
  "probing",
  "planning",
  "planned",
  "encoding",
  "verifying",
  "succeeded",
  "failed",
  "cancelled",
] as const;

/** One of `encodeStates`. */
export type EncodeState = (typeof encodeStates)[number];

/** What can happen to an encode. A task is *handed back* when its lease ends without a result and another worker may try. */
export const encodeEvents = [
  "probe leased",
  "probe handed back",
  "probed",
  "planned",
  "work leased",
  "whole encode handed back",
  "encoded",
  "chunks made again",
  "family gone",
  "published",
  "failed",
  "cancelled",
  "retried unprobed",
  "retried",
] as const;

/** One of `encodeEvents`. */
export type EncodeEvent = (typeof encodeEvents)[number];

const steps: Readonly<Record<EncodeState, Partial<Record<EncodeEvent, EncodeState>>>> = {
  // The note that a task was leased comes after the lease, and may come too late.
  queued: { "probe leased": "probing", probed: "planning" },
  probing: { "probe handed back": "queued", probed: "planning" },
  planning: { planned: "planned" },
  planned: { "work leased": "encoding", encoded: "verifying", published: "succeeded", "family gone": "planning" },
  // Published at once: a whole encode of an earlier release.
  encoding: {
    "whole encode handed back": "planned",
    encoded: "verifying",
    published: "succeeded",
    "family gone": "planning",
  },
  verifying: { published: "succeeded", "chunks made again": "encoding" },
  succeeded: {},
  failed: { "retried unprobed": "queued", retried: "planning" },
  cancelled: {},
};

/** Whether nothing happens to an encode in this state any more, unless its owner tries a failed one again. */
export function isFinal(state: EncodeState): boolean {
  return state === "succeeded" || state === "failed" || state === "cancelled";
}

/** The state after an event, or undefined where the event can't happen: it came too late, or twice. */
export function transition(state: EncodeState, event: EncodeEvent): EncodeState | undefined {
  if ((event === "failed" || event === "cancelled") && !isFinal(state)) return event;
  return steps[state][event];
}
