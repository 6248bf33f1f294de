/** The encoder service's contract: messages, clients and servers, generated from `proto/encoder`. */
export * from "../gen/encoder/v1/account_service_pb.ts";
export * from "../gen/encoder/v1/encoder_service_pb.ts";
export * from "../gen/encoder/v1/media_pb.ts";
export * from "../gen/encoder/v1/profile_service_pb.ts";
export * from "../gen/encoder/v1/settings_pb.ts";
export * from "../gen/encoder/v1/upload_service_pb.ts";
export * from "../gen/encoder/v1/webhook_service_pb.ts";
export * from "../gen/encoder/v1/worker_service_pb.ts";
