import { Code, type ConnectError } from "@connectrpc/connect";
import { Access } from "@kinora/proto-common";
import type { Authenticate, Caller, Interruptible } from "../caller.ts";
import type { Logger } from "../logger.ts";
import { noSlot, type Shedding } from "../shedding/shedding.ts";
import type { CallTelemetry } from "../telemetry/call-telemetry.ts";
import { checkAccess } from "./access.ts";
import { logCall } from "./access-log.ts";
import { CallRecord, type HeaderSource } from "./call-record.ts";
import { runInCall } from "./call-scope.ts";
import { mapError } from "./error-mapper.ts";
import type { MethodFacts } from "./served-method.ts";

/** What the steps around every call need. */
export type LifecycleDeps = {
  authenticate: Authenticate;
  logger: Logger;
  /** Aborts when the server starts to close. */
  drain: AbortSignal;
  /** Whether each call gets a line in the log. */
  accessLog: boolean;
  /** Is told of each call. */
  telemetry?: CallTelemetry | undefined;
};

/**
 * The steps around every call, whatever brought it and whoever runs its handler: a call begins, is admitted before its body is read, may fail,
 * and ends. Each step returns at once where it can, because it is paid by every call.
 */
export type Lifecycle = {
  /** `slot`: the one that load shedding has given the call already. */
  begin(method: MethodFacts, request: HeaderSource, protocol: string, slot?: number): CallRecord;
  /** Whether there is time for the call, who calls, and whether they may; throws what the caller gets. A promise only if that takes time. */
  admit(call: CallRecord, context: Interruptible): void | Promise<void>;
  /** The request is all here; throws what the caller gets if by now there is no time for the call. */
  arrived(call: CallRecord): void;
  /** The handler is about to start; throws what the caller gets if it has waited too long for that. */
  start(call: CallRecord): void;
  /** What the caller gets for anything thrown; logs what nobody foresaw. `signal`: the call's, if it has aborted already. */
  toError(call: CallRecord, thrown: unknown, aborted?: AbortSignal): ConnectError;
  /** The call is over: the last byte of its answer is out, or its caller is gone. Does nothing the second time. `otherwise` says how it ended where nobody of ours decided that. */
  end(call: CallRecord, otherwise: Code): void;
};

/** Makes the steps for a server. */
export function createLifecycle(deps: LifecycleDeps): Lifecycle {
  const { authenticate, logger, drain, telemetry } = deps;

  function refuse(call: CallRecord, fault: unknown): ConnectError {
    const error = mapError(logger, call, fault);
    if (error.code === Code.Unauthenticated) {
      error.metadata.set("www-authenticate", "Bearer");
    }
    return error;
  }

  function refusedBy({ refusal }: Shedding, call: CallRecord): ConnectError {
    call.shed = true;
    return refusal();
  }

  function identified(call: CallRecord, caller: Caller): void {
    call.caller = caller;
    checkAccess(call.method.access, caller);
  }

  async function wait(call: CallRecord, identifying: Promise<Caller>): Promise<void> {
    try {
      identified(call, await identifying);
    } catch (fault) {
      throw refuse(call, fault);
    }
  }

  function identify(call: CallRecord, context: Interruptible): Caller | Promise<Caller> {
    const authorization = call.request.header("authorization");
    const identifying = () => authenticate(authorization, context);
    if (call.method.access.access !== Access.PUBLIC) {
      return runInCall(call, identifying);
    }
    if (authorization === undefined) {
      return anonymous;
    }
    // Whoever asks for a new token may well send the old one along: on a public method a bad credential makes a nobody of them.
    try {
      const caller = runInCall(call, identifying);
      return caller instanceof Promise ? caller.catch(() => anonymous) : caller;
    } catch {
      return anonymous;
    }
  }

  return {
    begin(method, request, protocol, slot = noSlot) {
      const call = new CallRecord(method, request, drain, protocol);
      call.slot = slot;
      // Probes and watchers of health would be most of what there is to see.
      if (telemetry !== undefined && !method.name.startsWith("grpc.")) {
        call.span = telemetry.serverCall(method.method, protocol, request);
      }
      return call;
    },
    admit(call, context) {
      const { shed } = call.method;
      if (shed !== undefined && call.slot === noSlot) {
        call.slot = shed.by.take(call.started);
        if (call.slot === noSlot) {
          throw refusedBy(shed.by, call);
        }
      }
      try {
        const caller = identify(call, context);
        if (caller instanceof Promise) {
          return wait(call, caller);
        }
        identified(call, caller);
      } catch (fault) {
        throw refuse(call, fault);
      }
    },
    arrived(call) {
      const by = call.method.shed?.by;
      if (by !== undefined && !by.arrived(call, performance.now())) {
        throw refusedBy(by, call);
      }
    },
    start(call) {
      const { shed } = call.method;
      if (shed?.by.stale(call, shed.latency, performance.now())) {
        throw refusedBy(shed.by, call);
      }
    },
    toError: (call, thrown, aborted) => mapError(logger, call, thrown, aborted),
    end(call, otherwise) {
      if (call.ended) {
        return;
      }
      call.ended = true;
      call.outcome ??= otherwise;
      const now = performance.now();
      const ms = now - call.started;
      const { shed } = call.method;
      shed?.by.give(call, shed.latency, now, call.outcome);
      call.span?.end(call.outcome, call.error, ms);
      if (deps.accessLog && !call.shed) {
        logCall(logger, call, ms);
      }
    },
  };
}

const anonymous: Caller = { kind: "anonymous" };
