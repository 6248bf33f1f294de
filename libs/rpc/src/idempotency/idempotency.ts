import { createHash } from "node:crypto";
import { toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { callRecordKey } from "../call/call-record.ts";
import { toConnectError } from "../call/error-mapper.ts";
import { type Caller, callerKey } from "../caller.ts";
import { idempotencyKeyHeader, parseIdempotencyKey, takesIdempotencyKey } from "./idempotency-key.ts";
import type { IdempotencyStore } from "./idempotency-store.ts";
import { replay, storedFailure, storedResponse } from "./stored-answer.ts";

/**
 * Answers a unary call that carries an idempotency key, and was made before by the same caller, as it was answered then: its handler runs once. The rules are
 * those of draft-ietf-httpapi-idempotency-key-header and of Stripe, except that a call whose first one is still under way waits for its answer, where
 * the draft has it refused. Failures after which trying again is right aren't kept. Anonymous callers are nobody in particular, so their keys mean nothing.
 */
export function idempotencyInterceptor(store: IdempotencyStore): Interceptor {
  return (next) => async (request) => {
    const value = request.header.get(idempotencyKeyHeader);
    const owner = ownerOf(request.contextValues.get(callerKey));
    if (value === null || request.stream || owner === undefined || !takesIdempotencyKey(request.method)) {
      return next(request);
    }
    const key = parseIdempotencyKey(value);
    if (key === undefined) {
      const message = `the header ${idempotencyKeyHeader} must be 1 to 255 visible ASCII characters, such as a UUID`;
      throw new ConnectError(message, Code.InvalidArgument);
    }
    const { method } = request;
    const id = JSON.stringify([owner, `${method.parent.typeName}/${method.name}`, key]);
    const hash = createHash("sha256").update(toBinary(method.input, request.message)).digest("base64url");
    const begun = await store.begin(id, hash, request.signal);
    if (begun.state === "mismatch") {
      const message = "this idempotency key belongs to another request; send each request with a key of its own";
      throw new ConnectError(message, Code.InvalidArgument);
    }
    if (begun.state === "answered") {
      return { stream: false, service: request.service, method, ...replay(method.output, begun.answer) };
    }
    // From here on the answer is kept even if nobody waits for it any more.
    let answer: ReturnType<typeof storedFailure>;
    try {
      const response = await next(request);
      answer = response.stream ? undefined : storedResponse(method.output, response);
      return response;
    } catch (thrown) {
      const call = request.contextValues.get(callRecordKey);
      answer = call === undefined ? undefined : storedFailure(toConnectError(thrown, call).error);
      throw thrown;
    } finally {
      await store.finish(id, answer);
    }
  };
}

/** Who a caller is, as far as answers are concerned. */
function ownerOf(caller: Caller): string | undefined {
  switch (caller.kind) {
    case "anonymous":
      return undefined;
    case "user":
      return `user:${caller.userId}`;
    default:
      return `${caller.kind}:${caller.id}`;
  }
}
