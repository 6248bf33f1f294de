import type { DescMethod } from "@bufbuild/protobuf";
import type { Attributes, Context } from "@opentelemetry/api";
import type { CallDurations, DurationSeries } from "./call-durations.ts";
import type { RequestHeaders, ServerAddress } from "./call-telemetry.ts";
import { type CallAttributes, callAttributes, parseAuthority, serverAttributes, systemOf } from "./rpc-attributes.ts";

/** What the calls of one method, over one system and to one server, have in common. */
export type CallKind = CallAttributes & {
  /** Takes down how long a call took. `code` is 0 for "ok". */
  measure(code: number, ms: number, context: Context | undefined): void;
  /** What is known when a call begins, with the address by which its caller reached the server. */
  startOf(request: RequestHeaders): Attributes;
};

/** Finds what a call has in common with others. Each kind is made once; there are as many as the contracts have methods. */
export type CallKinds = (method: DescMethod, protocol: string) => CallKind;

/** The kinds of calls that come in, or that are made to `server`. */
export function createCallKinds(
  side: "server" | "client",
  durations: CallDurations | undefined,
  server?: ServerAddress,
): CallKinds {
  const methods = new WeakMap<DescMethod, Map<string, CallKind>>();
  return (method, protocol) => {
    let systems = methods.get(method);
    if (systems === undefined) {
      systems = new Map();
      methods.set(method, systems);
    }
    const system = systemOf(protocol);
    let kind = systems.get(system);
    if (kind === undefined) {
      kind = createCallKind(side, callAttributes(side, method, system, server), durations);
      systems.set(system, kind);
    }
    return kind;
  };
}

function createCallKind(
  side: "server" | "client",
  attributes: CallAttributes,
  durations: CallDurations | undefined,
): CallKind {
  const { start, end } = attributes;
  const series: DurationSeries[] = [];
  const inMemory = start["rpc.system.name"] === "memory";
  // Only the last address is remembered: callers may say any.
  let lastAuthority: string | undefined;
  let startThere = start;
  return {
    ...attributes,
    measure(code, ms, context) {
      if (durations !== undefined) {
        series[code] ??= durations.series(side, { ...start, ...end[code] });
        series[code].record(ms / 1000, context);
      }
    },
    startOf(request) {
      if (inMemory) {
        return start;
      }
      const authority = request.header(":authority") ?? request.header("host");
      if (authority !== lastAuthority) {
        lastAuthority = authority;
        startThere = authority === undefined ? start : { ...start, ...serverAttributes(parseAuthority(authority)) };
      }
      return startThere;
    },
  };
}
