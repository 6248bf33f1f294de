import { codeToString } from "@connectrpc/connect/protocol-connect";
import type { Logger } from "../logger.ts";
import type { CallRecord } from "./call-record.ts";

/** Writes the line of a call that is over: at info, gRPC's own health and reflection services at debug. */
export function logCall(logger: Logger, call: CallRecord, milliseconds: number): void {
  const { trace, outcome } = call;
  const fields = {
    method: call.method.name,
    code: outcome === undefined || outcome === "ok" ? "ok" : codeToString(outcome),
    ms: Math.round(milliseconds * 10) / 10,
    protocol: call.protocol || "unknown",
    caller: call.caller?.kind ?? "unknown",
    trace: trace.traceId,
    span: trace.spanId,
    // Left out of the line where there is none.
    parent: trace.parentId,
  };
  if (call.method.name.startsWith("grpc.")) {
    logger.debug(fields, "call");
  } else {
    logger.info(fields, "call");
  }
}
