/** What every contract shares: who may call a method, field rules, and gRPC's own health and reflection protocols. */
export {
  type FieldPath,
  type FieldPathElement,
  type Violation,
  ViolationSchema,
  type Violations,
  ViolationsSchema,
} from "../gen/buf/validate/validate_pb.ts";
export * from "../gen/grpc/health/v1/health_pb.ts";
export * as reflectionV1 from "../gen/grpc/reflection/v1/reflection_pb.ts";
export * as reflectionV1Alpha from "../gen/grpc/reflection/v1alpha/reflection_pb.ts";
export * from "../gen/kinora/access/v1/access_pb.ts";
export { type Statement, statementOf } from "./statement.ts";
