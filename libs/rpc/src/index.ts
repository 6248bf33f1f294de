/** Connect on Node: one server, client transports, and what every call goes through. */
export { checkGrant } from "./call/access.ts";
export { drainSignal } from "./call/call-record.ts";
export { currentTrace, remainingMs } from "./call/call-scope.ts";
export type { Trace } from "./call/trace.ts";
export { untilAborted } from "./call/until-aborted.ts";
export {
  type Authenticate,
  type Caller,
  callerKey,
  callerOf,
  type Granted,
  permits,
  requireUser,
  type Some,
  type UserRole,
} from "./caller.ts";
export { type ClientTransport, type ClientTransportOptions, createClientTransport } from "./client/client-transport.ts";
export { createInMemoryTransport } from "./client/in-memory-transport.ts";
export type { Lookup } from "./client/resolver.ts";
export { type Hedging, hedgingKey, type Retry, retryKey } from "./client/retry/call-options.ts";
export { clientAddressKey, clientAddressOf } from "./client-address.ts";
export { DomainError, type DomainErrorOptions, type FaultReason, type FieldViolation } from "./domain-error.ts";
export { trustProxies } from "./forwarded-address.ts";
export { hasIdempotencyKey, sendIdempotencyKeys } from "./idempotency/idempotency-key.ts";
export type { BegunCall, IdempotencyStore, StoredAnswer, StoredFailure } from "./idempotency/idempotency-store.ts";
export {
  createMemoryIdempotencyStore,
  type MemoryIdempotencyStoreOptions,
} from "./idempotency/memory-idempotency-store.ts";
export type { Logger, LogMethod } from "./logger.ts";
export { absent, type Owner, type Owners, owned } from "./ownership.ts";
export { peerCertificateOf } from "./peer-certificate.ts";
export type { HttpRequest, HttpResponse, HttpRoute, Routes, ServiceOptions } from "./routes.ts";
export { createServer, type RpcServer, type ServerOptions } from "./server/create-server.ts";
export type { LimiterOptions } from "./shedding/concurrency-limiter.ts";
export type { CallSpan, CallTelemetry, ClientCallSpan, ServerAddress } from "./telemetry/call-telemetry.ts";
