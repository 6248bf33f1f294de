import { Code } from "@connectrpc/connect";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { codeFromHttpStatus, codeToString } from "@connectrpc/connect/protocol-connect";
import type { Logger } from "../logger.ts";
import type { CallRecord } from "./call-record.ts";

/** A call that is over, with the HTTP response that Connect made of it (undefined where the caller left before). */
export type EndedCall = {
  method: string;
  milliseconds: number;
  record: CallRecord;
  response: UniversalServerResponse | undefined;
};

/** Writes a call's line in the access log: at info, gRPC's own health and reflection services at debug. */
export function logCall(logger: Logger, { method, milliseconds, record, response }: EndedCall): void {
  const { trace } = record.scope;
  const fields = {
    method,
    code: outcomeOf(record, response),
    ms: Math.round(milliseconds * 10) / 10,
    protocol: record.protocol || "unknown",
    caller: record.caller,
    trace: trace.traceId,
    span: trace.spanId,
    ...(trace.parentId === undefined ? {} : { parent: trace.parentId }),
  };
  if (method.startsWith("grpc.")) {
    logger.debug(fields, "call");
  } else {
    logger.info(fields, "call");
  }
}

function outcomeOf({ outcome }: CallRecord, response: UniversalServerResponse | undefined): string {
  if (outcome === "ok") {
    return "ok";
  }
  if (outcome !== undefined) {
    return codeToString(outcome);
  }
  // Nobody of ours decided: the caller left, or Connect refused the request (its body isn't a message, say) before an interceptor saw it.
  if (response === undefined) {
    return codeToString(Code.Canceled);
  }
  const grpcStatus = Number(response.trailer?.get("grpc-status") ?? 0);
  if (grpcStatus in Code) {
    return codeToString(grpcStatus);
  }
  return codeToString(response.status === 200 ? Code.Unknown : codeFromHttpStatus(response.status));
}
