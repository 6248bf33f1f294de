/** What every contract shares: who may call a method, field rules, and gRPC's own health protocol. */
export * from "../gen/grpc/health/v1/health_pb.ts";
export * from "../gen/kinora/access/v1/access_pb.ts";
