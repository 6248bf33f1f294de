/** The user service's contract: messages, clients and servers, generated from `proto/user`. */
export * from "../gen/user/v1/account_service_pb.ts";
export * from "../gen/user/v1/audit_service_pb.ts";
export * from "../gen/user/v1/factor_service_pb.ts";
export * from "../gen/user/v1/invitation_service_pb.ts";
export * from "../gen/user/v1/key_service_pb.ts";
export * from "../gen/user/v1/quota_service_pb.ts";
export * from "../gen/user/v1/session_service_pb.ts";
export * from "../gen/user/v1/user_service_pb.ts";
