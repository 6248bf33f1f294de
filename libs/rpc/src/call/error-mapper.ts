import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError, type ContextValues } from "@connectrpc/connect";
import { ViolationsSchema } from "@kinora/proto-common";
import { DomainError, type FaultReason } from "../domain-error.ts";
import type { Logger } from "../logger.ts";
import { callRecordKey } from "./call-record.ts";

const codes: Record<FaultReason, Code> = {
  invalid: Code.InvalidArgument,
  not_found: Code.NotFound,
  already_exists: Code.AlreadyExists,
  failed_precondition: Code.FailedPrecondition,
  permission_denied: Code.PermissionDenied,
  unauthenticated: Code.Unauthenticated,
  exhausted: Code.ResourceExhausted,
  aborted: Code.Aborted,
  unavailable: Code.Unavailable,
};

// What another service's answer may mean for our own caller as it is. Anything else that it says (a `not_found`, an `unauthenticated`) is about
// our request to it, and would mislead.
const passedOn: ReadonlySet<Code> = new Set([
  Code.Canceled,
  Code.DeadlineExceeded,
  Code.ResourceExhausted,
  Code.Aborted,
  Code.Unavailable,
]);

/** An error as the caller gets it. `unexpected` ones belong into the log in full: nobody foresaw them. */
export type MappedError = { error: ConnectError; unexpected: boolean };

/** Turns anything thrown into what the caller gets. `reference` leads from an `internal` error to the log. */
export function toConnectError(thrown: unknown, reference: string): MappedError {
  if (thrown instanceof DomainError) {
    return { error: fromDomainError(thrown), unexpected: false };
  }
  if (
    thrown instanceof ConnectError &&
    thrown.code !== Code.Unknown &&
    (!thrown.isWireError || passedOn.has(thrown.code))
  ) {
    return { error: thrown, unexpected: thrown.code === Code.Internal };
  }
  const message = `something went wrong on the server; its log says more under reference ${reference}`;
  return { error: new ConnectError(message, Code.Internal, undefined, undefined, thrown), unexpected: true };
}

function fromDomainError(fault: DomainError): ConnectError {
  const metadata = new Headers();
  if (fault.retryAfterSeconds !== undefined) {
    metadata.set("retry-after", String(Math.ceil(fault.retryAfterSeconds)));
  }
  const violations = fault.violations.map(({ field, message, id }) => ({
    field: { elements: field.split(".").map((fieldName) => ({ fieldName })) },
    message,
    ...(id === undefined ? {} : { ruleId: id }),
  }));
  const details = violations.length === 0 ? [] : [{ desc: ViolationsSchema, value: { violations } }];
  return new ConnectError(fault.message, codes[fault.reason], metadata, details, fault);
}

/** The one place where what a call throws becomes what its caller gets: notes the outcome in the call's record, logs what nobody foresaw. */
export type ErrorMapper = (
  thrown: unknown,
  method: DescMethod,
  values: ContextValues,
  signal: AbortSignal,
) => ConnectError;

/** Makes the mapper of a server. */
export function createErrorMapper(logger: Logger): ErrorMapper {
  return (thrown, method, values, signal) => {
    const record = values.get(callRecordKey);
    const trace = record?.scope.trace.traceId ?? "none";
    // Once a call is cancelled or out of time, whatever follows from that isn't what the caller should hear.
    const stopped = signal.aborted && !(thrown instanceof DomainError);
    const { error, unexpected } = stopped
      ? { error: ConnectError.from(signal.reason, Code.Canceled), unexpected: false }
      : toConnectError(thrown, trace);
    if (unexpected) {
      logger.error(
        { err: thrown, method: `${method.parent.typeName}/${method.name}`, trace },
        "call failed unexpectedly",
      );
    }
    if (record !== undefined) {
      record.outcome = error.code;
    }
    return error;
  };
}
