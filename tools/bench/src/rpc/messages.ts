import { create, toBinary, toJsonString } from "@bufbuild/protobuf";
import {
  BenchService,
  type GetUserRequest,
  GetUserRequestSchema,
  GetUserResponseSchema,
  WatchUserResponseSchema,
} from "@kinora/proto-common/kinora/testing/v1/bench_service_pb.js";

/** Where the method is, over HTTP. */
export const getUserPath = `/${BenchService.typeName}/${BenchService.method.getUser.name}`;
export const watchUserPath = `/${BenchService.typeName}/${BenchService.method.watchUser.name}`;

/** The user that every server here knows. */
export const user = { name: "Ada King", age: 36 };

/** Bytes beside the user's id or name. 0 makes messages of about 10 bytes. */
export type PayloadBytes = number;

/** What to ask for. */
export function userRequest(payloadBytes: PayloadBytes): GetUserRequest {
  return create(GetUserRequestSchema, { id: "u-00000001", payload: new Uint8Array(payloadBytes).fill(7) });
}

/** A message before gRPC's five bytes. */
export function requestMessage(payloadBytes: PayloadBytes): Uint8Array {
  return toBinary(GetUserRequestSchema, userRequest(payloadBytes));
}

/** What comes back, as bytes. */
export function responseMessage(payloadBytes: PayloadBytes): Uint8Array {
  return toBinary(
    GetUserResponseSchema,
    create(GetUserResponseSchema, { ...user, payload: new Uint8Array(payloadBytes).fill(7) }),
  );
}

/** One message of a stream. */
export function watchMessage(payloadBytes: PayloadBytes): Uint8Array {
  const payload = new Uint8Array(payloadBytes).fill(7);
  return toBinary(WatchUserResponseSchema, create(WatchUserResponseSchema, { payload }));
}

/** The request as JSON. */
export function requestJson(payloadBytes: PayloadBytes): Uint8Array {
  return Buffer.from(toJsonString(GetUserRequestSchema, userRequest(payloadBytes)));
}

/** A message as gRPC sends it: a byte for compression, four for the length. */
export function grpcFrame(message: Uint8Array): Buffer {
  const frame = Buffer.alloc(5 + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  return frame;
}
