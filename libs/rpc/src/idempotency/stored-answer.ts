import { create, type DescMessage, fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { replayedHeader } from "./idempotency-key.ts";
import type { StoredAnswer, StoredFailure } from "./idempotency-store.ts";

// Whoever fails like this fails again. The other codes tell of a moment (unavailable, aborted, deadline_exceeded, canceled, resource_exhausted), of a
// credential (unauthenticated), or of a fault of ours (internal, unknown): after those it is right to try again.
const final: ReadonlySet<Code> = new Set([
  Code.InvalidArgument,
  Code.NotFound,
  Code.AlreadyExists,
  Code.PermissionDenied,
  Code.FailedPrecondition,
  Code.OutOfRange,
  Code.Unimplemented,
  Code.DataLoss,
]);

/** The parts of a response that are kept. */
export type Answered = { message: Message; header: Headers; trailer: Headers };

/** A response as it is kept. */
export function storedResponse(schema: DescMessage, { message, header, trailer }: Answered): StoredAnswer {
  return { message: toBinary(schema, message), header: [...header], trailer: [...trailer] };
}

/** A failure as it is kept; undefined if it isn't final. */
export function storedFailure(error: ConnectError): StoredAnswer | undefined {
  if (!final.has(error.code)) {
    return undefined;
  }
  const details = error.details.map((detail) =>
    "desc" in detail
      ? { type: detail.desc.typeName, value: toBinary(detail.desc, create(detail.desc, detail.value)) }
      : { type: detail.type, value: detail.value },
  );
  const failure = { code: error.code, message: error.rawMessage, metadata: [...error.metadata], details };
  return { failure, header: [], trailer: [] };
}

/** The response once more; throws the failure if it was one. Says in a header that it was given before. */
export function replay(schema: DescMessage, { message, failure, header, trailer }: StoredAnswer): Answered {
  if (failure !== undefined) {
    throw failedAgain(failure);
  }
  const again = new Headers(header);
  again.set(replayedHeader, "true");
  return { message: fromBinary(schema, message ?? new Uint8Array()), header: again, trailer: new Headers(trailer) };
}

function failedAgain({ code, message, metadata, details }: StoredFailure): ConnectError {
  const error = new ConnectError(message, code, metadata);
  error.details = details;
  error.metadata.set(replayedHeader, "true");
  return error;
}
