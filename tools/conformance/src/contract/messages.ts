/**
 * The suite's messages, as far as programs under test look at them; its own .proto files (package connectrpc.conformance.v1) say what each field is for.
 * They come with the suite, so these types stand in for generated ones.
 */
import type { Message } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";

export type Header = Message & { name: string; value: string[] };

/** `code` as Connect numbers it. */
export type ErrorDefinition = Message & { code: number; message?: string; details: Any[] };

export type UnaryResponseDefinition = Message & {
  responseHeaders: Header[];
  response:
    | { case: "responseData"; value: Uint8Array }
    | { case: "error"; value: ErrorDefinition }
    | { case: undefined };
  responseTrailers: Header[];
  responseDelayMs: number;
};

export type StreamResponseDefinition = Message & {
  responseHeaders: Header[];
  responseData: Uint8Array[];
  responseDelayMs: number;
  error?: ErrorDefinition;
  responseTrailers: Header[];
};

export type UnaryRequest = Message & { responseDefinition?: UnaryResponseDefinition };
export type StreamRequest = Message & { responseDefinition?: StreamResponseDefinition };
export type BidiStreamRequest = StreamRequest & { fullDuplex: boolean };
/** What every method but Unimplemented answers with. */
export type PayloadResponse = Message & { payload?: ConformancePayload };

export type ConformancePayload = Message & { data: Uint8Array; requestInfo?: RequestInfo };
export type RequestInfo = Message & {
  requestHeaders: Header[];
  timeoutMs?: bigint;
  requests: Any[];
  connectGetInfo?: Message & { queryParams: Header[] };
};

export const HttpVersion = { http1: 1, http2: 2 } as const;
export const Protocol = { connect: 1, grpc: 2, grpcWeb: 3 } as const;
export const Codec = { proto: 1, json: 2 } as const;
export const Compression = { identity: 1, gzip: 2, brotli: 3 } as const;
export const StreamType = { unary: 1, client: 2, server: 3, halfDuplex: 4, fullDuplex: 5 } as const;

/** PEM. */
export type TlsCredentials = Message & { cert: Uint8Array; key: Uint8Array };

/** What the suite wants of a server under test. Limits of 0 and empty certificates stand for none. */
export type ServerCompatRequest = Message & {
  useTls: boolean;
  clientTlsCert: Uint8Array;
  messageReceiveLimit: number;
  serverCreds?: TlsCredentials;
};

export type ServerCompatResponse = Message & { host: string; port: number; pemCert: Uint8Array };

/** A call that a client under test has to make. */
export type ClientCompatRequest = Message & {
  testName: string;
  httpVersion: number;
  protocol: number;
  codec: number;
  compression: number;
  host: string;
  port: number;
  serverTlsCert: Uint8Array;
  clientTlsCreds?: TlsCredentials;
  messageReceiveLimit: number;
  method?: string;
  streamType: number;
  useGetHttpMethod: boolean;
  requestHeaders: Header[];
  requestMessages: Any[];
  timeoutMs?: number;
  requestDelayMs: number;
  cancel?: Cancel;
};

export type Cancel = Message & {
  cancelTiming:
    | { case: "beforeCloseSend"; value: Message }
    | { case: "afterCloseSendMs"; value: number }
    | { case: "afterNumResponses"; value: number }
    | { case: undefined };
};

export type ClientCompatResponse = Message & {
  testName: string;
  result:
    | { case: "response"; value: ClientResponseResult }
    | { case: "error"; value: ClientErrorResult }
    | { case: undefined };
};

export type ClientResponseResult = Message & {
  responseHeaders: Header[];
  payloads: ConformancePayload[];
  error?: ErrorDefinition;
  responseTrailers: Header[];
  numUnsentRequests: number;
};

/** Why a call couldn't even be tried. */
export type ClientErrorResult = Message & { message: string };
