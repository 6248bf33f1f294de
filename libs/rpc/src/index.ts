/** Connect on Node: one server, client transports, and what every call goes through. */
export { type Authenticate, type Caller, callerKey, callerOf, requireUser } from "./caller.ts";
export { type ClientTransport, type ClientTransportOptions, createClientTransport } from "./client-transport.ts";
export { DomainError, type DomainErrorOptions, type FaultReason, type FieldViolation } from "./domain-error.ts";
export { createInMemoryTransport } from "./in-memory-transport.ts";
export type { Logger, LogMethod } from "./logger.ts";
export type { HttpRequest, HttpResponse, HttpRoute, Routes, ServiceOptions } from "./routes.ts";
export { createServer, type RpcServer, type ServerOptions } from "./server.ts";
