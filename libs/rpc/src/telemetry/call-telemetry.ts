import type { DescMethod } from "@bufbuild/protobuf";
import type { Code } from "@connectrpc/connect";
import type { Context } from "@opentelemetry/api";
import type { Trace } from "../call/trace.ts";

/** What watches calls: it is told of each one when it begins and when it ends. `createCallTelemetry` makes one that reports to OpenTelemetry. */
export type CallTelemetry = {
  /** Begins a call that came in. `protocol` is empty where it isn't known yet. `request` knows its headers by their lower-case names, `:authority` included. */
  serverCall(method: DescMethod, protocol: string, request: RequestHeaders): CallSpan;
  /**
   * Begins a call that is made here. `server` is its target as the user wrote it: the same object for each call of a transport, undefined for one in memory.
   */
  clientCall(method: DescMethod, protocol: string, server: ServerAddress | undefined): ClientCallSpan;
};

/** The headers of a request. */
export type RequestHeaders = { header(name: string): string | undefined };

/** Where calls go: a host name with its port, the path of a Unix socket, or a whole target that can't be told in these terms. */
export type ServerAddress = { readonly address: string; readonly port?: number };

/** One call under way. */
export type CallSpan = {
  /** The span's ids, for log lines; undefined where only durations are measured. */
  readonly trace: Trace | undefined;
  /** OpenTelemetry's context in which the span is the active one; undefined without a span. */
  readonly context: Context | undefined;
  /** Runs `action` in that context; undefined where nothing needs to be done for that, because whoever runs a call already says so by its `CallScope`. */
  readonly enter: (<T>(action: () => T) => T) | undefined;
  /** The call is over. `ms` is how long it took, `error` what its caller gets; called once. */
  end(outcome: Code | "ok", error: unknown, ms: number): void;
};

/** A call that is made here. */
export type ClientCallSpan = CallSpan & {
  /** Gives `set` the headers that carry the trace to the server, if there are any. */
  inject(set: (name: string, value: string) => void): void;
};
