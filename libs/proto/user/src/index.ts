/** The user service's contract: messages, clients and servers, generated from `proto/user`. */
export * from "../gen/user/v1/key_service_pb.ts";
export * from "../gen/user/v1/quota_service_pb.ts";
export * from "../gen/user/v1/session_service_pb.ts";
export * from "../gen/user/v1/user_service_pb.ts";
