import { create, type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import {
  type MethodDefinition,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
} from "@grpc/grpc-js";
import {
  BenchService,
  type GetUserRequest,
  type GetUserResponse,
  GetUserResponseSchema,
  type WatchUserRequest,
  type WatchUserResponse,
  WatchUserResponseSchema,
} from "@kinora/proto-common/kinora/testing/v1/bench_service_pb.js";
import { user } from "../messages.ts";
import type { RunningServer } from "./running-server.ts";

/** grpc-js with its defaults, and the same Protobuf library as everybody here. */
export async function start(): Promise<RunningServer> {
  const server = new Server();
  server.addService(
    { getUser: grpcMethod(BenchService.method.getUser), watchUser: grpcMethod(BenchService.method.watchUser) },
    {
      getUser({ request }: ServerUnaryCall<GetUserRequest, GetUserResponse>, done: sendUnaryData<GetUserResponse>) {
        done(null, create(GetUserResponseSchema, { ...user, payload: request.payload }));
      },
      watchUser(call: ServerWritableStream<WatchUserRequest, WatchUserResponse>) {
        const { count, bytes } = call.request;
        const payload = new Uint8Array(bytes).fill(7);
        let left = count;
        const write = () => {
          while (left > 0) {
            left--;
            if (!call.write(create(WatchUserResponseSchema, { payload }))) {
              call.once("drain", write);
              return;
            }
          }
          call.end();
        };
        write();
      },
    },
  );
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
    error === null ? resolve(bound) : reject(error),
  );
  return { port: await promise, close: async () => server.forceShutdown() };
}

/** A method as grpc-js wants it described. */
export function grpcMethod<I extends DescMessage, O extends DescMessage>(method: {
  name: string;
  methodKind: string;
  input: I;
  output: O;
}): MethodDefinition<MessageShape<I>, MessageShape<O>> {
  return {
    path: `/${BenchService.typeName}/${method.name}`,
    requestStream: false,
    responseStream: method.methodKind === "server_streaming",
    requestSerialize: (message) => Buffer.from(toBinary(method.input, message)),
    requestDeserialize: (bytes) => fromBinary(method.input, bytes),
    responseSerialize: (message) => Buffer.from(toBinary(method.output, message)),
    responseDeserialize: (bytes) => fromBinary(method.output, bytes),
  };
}
