/** Transports to call services with, for programs that serve nothing. */
export { type ClientTransport, type ClientTransportOptions, createClientTransport } from "./client-transport.ts";
