/** Where an encode stands. `planning`: probed, and waits for its plan and quota; callers see it as still being probed. */
export const encodeStates = [
  "queued",
  "probing",
  "planning",
  "planned",
  "encoding",
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
  "encode leased",
  "encode handed back",
  "published",
  "failed",
  "cancelled",
] as const;

/** One of `encodeEvents`. */
export type EncodeEvent = (typeof encodeEvents)[number];

const steps: Readonly<Record<EncodeState, Partial<Record<EncodeEvent, EncodeState>>>> = {
  queued: { "probe leased": "probing" },
  probing: { "probe handed back": "queued", probed: "planning" },
  planning: { planned: "planned" },
  planned: { "encode leased": "encoding" },
  encoding: { "encode handed back": "planned", published: "succeeded" },
  succeeded: {},
  failed: {},
  cancelled: {},
};

/** Whether nothing happens to an encode in this state any more. */
export function isFinal(state: EncodeState): boolean {
  return state === "succeeded" || state === "failed" || state === "cancelled";
}

/** The state after an event, or undefined where the event can't happen: it came too late, or twice. */
export function transition(state: EncodeState, event: EncodeEvent): EncodeState | undefined {
  if ((event === "failed" || event === "cancelled") && !isFinal(state)) return event;
  return steps[state][event];
}
