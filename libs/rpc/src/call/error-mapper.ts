import { Code, ConnectError } from "@connectrpc/connect";
import { ViolationsSchema } from "@kinora/proto-common";
import { DomainError, type FaultReason } from "../domain-error.ts";
import type { Logger } from "../logger.ts";
import type { CallRecord } from "./call-record.ts";
import type { CallScope } from "./call-scope.ts";

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

// What Connect says of a message that can't be read. Its sender is at fault, and must not fill the log.
const unreadable = /^(parse binary: |received compressed envelope)/;

/** An error as the caller gets it. `unexpected` ones belong into the log in full: nobody foresaw them. */
export type MappedError = { error: ConnectError; unexpected: boolean };

/** Turns anything thrown into what the caller gets. The trace's id leads from an `internal` error to the log. */
export function toConnectError(thrown: unknown, scope: Pick<CallScope, "trace">): MappedError {
  const { error, unexpected } = asConnectError(thrown, scope);
  return { error: wellFormed(error), unexpected };
}

function asConnectError(thrown: unknown, scope: Pick<CallScope, "trace">): MappedError {
  if (thrown instanceof DomainError) {
    return { error: fromDomainError(thrown), unexpected: false };
  }
  if (
    thrown instanceof ConnectError &&
    // Connect calls whatever isn't one of its errors "unknown", and keeps it as the cause.
    (thrown.code !== Code.Unknown || thrown.cause === undefined) &&
    (!thrown.isWireError || passedOn.has(thrown.code))
  ) {
    return { error: thrown, unexpected: thrown.code === Code.Internal && !unreadable.test(thrown.rawMessage) };
  }
  const message = `something went wrong on the server; its log says more under reference ${scope.trace.traceId}`;
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

/**
 * The one place where what a call throws becomes what its caller gets: notes the outcome in the call's record, logs what nobody foresaw. `aborted` is the
 * call's signal: once a call is cancelled or out of time, whatever follows from that isn't what the caller should hear.
 */
export function mapError(logger: Logger, call: CallRecord, thrown: unknown, aborted?: AbortSignal): ConnectError {
  const stopped = aborted?.aborted && !(thrown instanceof DomainError);
  const { error, unexpected } = stopped
    ? { error: ConnectError.from(aborted.reason, Code.Canceled), unexpected: false }
    : toConnectError(thrown, call);
  if (unexpected) {
    logger.error({ err: thrown, method: call.method.name, trace: call.trace.traceId }, "call failed unexpectedly");
  }
  call.outcome = error.code;
  call.error = error;
  return error;
}

/** With a message that can be sent: one that quotes half a character (as `JSON.parse` does where it cuts its input short) can't be a header. */
function wellFormed(error: ConnectError): ConnectError {
  if (error.rawMessage.isWellFormed()) {
    return error;
  }
  const sent = new ConnectError(error.rawMessage.toWellFormed(), error.code, error.metadata, undefined, error.cause);
  sent.details = error.details;
  return sent;
}
