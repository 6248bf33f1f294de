import { create } from "@bufbuild/protobuf";
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import {
  BenchService,
  type GetUserResponse,
  WatchUserRequestSchema,
} from "@kinora/proto-common/kinora/testing/v1/bench_service_pb.js";
import { user, userRequest } from "../messages.ts";
import { grpcMethod } from "../servers/grpc-js.ts";
import type { BenchClient } from "./bench-client.ts";
import type { ClientSpec } from "./client-spec.ts";

/** grpc-js with its defaults, and a deadline for each call as ours has one. */
export function createGrpcJsClient({ target, payloadBytes, streamed = 0 }: ClientSpec): BenchClient {
  const client = new Client(new URL(target).host, credentials.createInsecure());
  const getUser = grpcMethod(BenchService.method.getUser);
  const watchUser = grpcMethod(BenchService.method.watchUser);
  const request = userRequest(payloadBytes);
  const unary = () =>
    new Promise<void>((resolve, reject) => {
      client.makeUnaryRequest(
        getUser.path,
        getUser.requestSerialize,
        getUser.responseDeserialize,
        request,
        new Metadata(),
        { deadline: Date.now() + 10_000 },
        (error, answer?: GetUserResponse) => {
          if (error !== null) {
            reject(error);
          } else if (answer?.age !== user.age || answer.payload.length !== payloadBytes) {
            reject(new Error("wrong answer"));
          } else {
            resolve();
          }
        },
      );
    });
  const stream = () =>
    new Promise<void>((resolve, reject) => {
      const call = client.makeServerStreamRequest(
        watchUser.path,
        watchUser.requestSerialize,
        watchUser.responseDeserialize,
        create(WatchUserRequestSchema, { count: streamed, bytes: payloadBytes }),
      );
      let count = 0;
      call.on("data", ({ payload }) => {
        count += payload.length === payloadBytes ? 1 : 0;
      });
      call.on("end", () => (count === streamed ? resolve() : reject(new Error("wrong answer"))));
      call.on("error", reject);
    });
  return { call: (method) => (method === "watchUser" ? stream() : unary()), close: () => client.close() };
}
