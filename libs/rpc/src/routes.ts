import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { DescMethod } from "@bufbuild/protobuf";
import type { ConnectRouter, Interceptor } from "@connectrpc/connect";
import type { AccessOf } from "./call/access.ts";
import type { Authenticate } from "./caller.ts";
import type { IdempotencyStore } from "./idempotency/idempotency-store.ts";
import type { Logger } from "./logger.ts";
import type { CallTelemetry } from "./telemetry/call-telemetry.ts";

/** Registers the handlers of one or more services: Connect's own form. */
export type Routes = (router: ConnectRouter) => void;

/** A request over HTTP/1.1 or HTTP/2. */
export type HttpRequest = IncomingMessage | Http2ServerRequest;

/** Its response. */
export type HttpResponse = ServerResponse | Http2ServerResponse;

/**
 * A plain HTTP route beside the RPCs: uploads, segments, key sets. `path` matches exactly, or as a prefix when it ends with "/" (but "/" itself, which is one page); the longest wins.
 * A rejected promise becomes an error response (DomainErrors with their status, others 500 with a reference to the log).
 * The route answers every HTTP method, authentication and CORS by itself.
 */
export type HttpRoute = {
  path: string;
  handle(request: HttpRequest, response: HttpResponse): Promise<void>;
};

/** A service as a value: what a server needs to serve it, and an in-memory transport to call it. */
export type ServiceOptions = {
  routes: Routes;
  http?: HttpRoute[];
  authenticate: Authenticate;
  logger: Logger;
  /** Who may call the methods of contracts that others wrote, which can't carry our option; asked where the contract states nothing. */
  accessOf?: AccessOf;
  /** Unary methods whose handlers wait on purpose, for something to happen: load shedding leaves them alone, and doesn't take their time for a sign of load. */
  longPolls?: readonly DescMethod[];
  /**
   * Unary methods on which work depends that has been done already, called by machines of ours: they have a limit of their own, so that no storm of other calls gets them refused, and are refused
   * only when they take seconds (docs/overload.md).
   */
  steadfast?: readonly DescMethod[];
  /**
   * Unary methods that wait in a bounded queue of their own, as those do that hash passwords: they have a limit of their own, so that a full queue isn't taken for an overload of the server, for which
   * other calls would be refused (docs/overload.md).
   */
  queued?: readonly DescMethod[];
  /** Whether a service doesn't start whose methods name resources and whose handlers aren't behind `owned`. What serves people sets it; fakes of tests needn't. */
  ownersRequired?: boolean;
  /** Where the answers of calls with idempotency keys are kept; in memory, within bounds, if not given (docs/overload.md). */
  idempotencyStore?: IdempotencyStore;
  /** Run inside the built-in ones, around the handler. */
  interceptors?: Interceptor[];
  /** Whether messages are held to the rules of their contract (buf.validate); they are if not given. */
  validation?: boolean;
  /** Whether each call gets a line in the log; it does if not given. */
  accessLog?: boolean;
  /** Is told of each call; `createCallTelemetry` of `@kinora/rpc/telemetry` reports them to OpenTelemetry. */
  telemetry?: CallTelemetry | undefined;
};
