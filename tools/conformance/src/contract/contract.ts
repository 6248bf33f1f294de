import { createFileRegistry, type FileRegistry, fromBinary } from "@bufbuild/protobuf";
import type { GenMessage, GenService } from "@bufbuild/protobuf/codegenv2";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import type {
  BidiStreamRequest,
  ClientCompatRequest,
  ClientCompatResponse,
  ClientErrorResult,
  ClientResponseResult,
  ConformancePayload,
  PayloadResponse,
  RequestInfo,
  ServerCompatRequest,
  ServerCompatResponse,
  StreamRequest,
  UnaryRequest,
} from "./messages.ts";

/** The service that servers under test serve and that clients under test call. */
export type ConformanceService = GenService<{
  unary: { methodKind: "unary"; input: GenMessage<UnaryRequest>; output: GenMessage<PayloadResponse> };
  idempotentUnary: { methodKind: "unary"; input: GenMessage<UnaryRequest>; output: GenMessage<PayloadResponse> };
  unimplemented: { methodKind: "unary"; input: GenMessage<UnaryRequest>; output: GenMessage<PayloadResponse> };
  clientStream: {
    methodKind: "client_streaming";
    input: GenMessage<UnaryRequest>;
    output: GenMessage<PayloadResponse>;
  };
  serverStream: {
    methodKind: "server_streaming";
    input: GenMessage<StreamRequest>;
    output: GenMessage<PayloadResponse>;
  };
  bidiStream: {
    methodKind: "bidi_streaming";
    input: GenMessage<BidiStreamRequest>;
    output: GenMessage<PayloadResponse>;
  };
}>;

/** The suite's contract. `registry` finds every type in it, for `google.protobuf.Any`. */
export type Contract = {
  registry: FileRegistry;
  service: ConformanceService;
  payload: GenMessage<ConformancePayload>;
  requestInfo: GenMessage<RequestInfo>;
  serverCompatRequest: GenMessage<ServerCompatRequest>;
  serverCompatResponse: GenMessage<ServerCompatResponse>;
  clientCompatRequest: GenMessage<ClientCompatRequest>;
  clientCompatResponse: GenMessage<ClientCompatResponse>;
  clientResponseResult: GenMessage<ClientResponseResult>;
  clientErrorResult: GenMessage<ClientErrorResult>;
};

const name = "connectrpc.conformance.v1";

/** Reads the contract from a file descriptor set, as `buf build` makes one. Throws when it isn't the suite's. */
export function readContract(descriptors: Uint8Array): Contract {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptors));
  const message = (type: string) => {
    const found = registry.getMessage(`${name}.${type}`);
    if (found === undefined) {
      throw new Error(`the suite's contract has no message ${name}.${type}`);
    }
    return found;
  };
  const service = registry.getService(`${name}.ConformanceService`);
  if (service === undefined) {
    throw new Error(`the suite's contract has no service ${name}.ConformanceService`);
  }
  return {
    registry,
    service: service as ConformanceService,
    payload: message("ConformancePayload") as GenMessage<ConformancePayload>,
    requestInfo: message("ConformancePayload.RequestInfo") as GenMessage<RequestInfo>,
    serverCompatRequest: message("ServerCompatRequest") as GenMessage<ServerCompatRequest>,
    serverCompatResponse: message("ServerCompatResponse") as GenMessage<ServerCompatResponse>,
    clientCompatRequest: message("ClientCompatRequest") as GenMessage<ClientCompatRequest>,
    clientCompatResponse: message("ClientCompatResponse") as GenMessage<ClientCompatResponse>,
    clientResponseResult: message("ClientResponseResult") as GenMessage<ClientResponseResult>,
    clientErrorResult: message("ClientErrorResult") as GenMessage<ClientErrorResult>,
  };
}
