import { packageJson, tsconfig, type Versions } from "./package-files.ts";
import type { ServicePlan } from "./plan-service.ts";

/** The contract, and the library that is generated from it. */
export function contractFiles({ name, title }: ServicePlan, versions: Versions): Record<string, string> {
  return {
    [`proto/${name}/v1/${name}_service.proto`]: `syntax = "proto3";

package ${name}.v1;

import "kinora/access/v1/access.proto";

// The ${name} service. It begins with one method; say here what it is for.
service ${title}Service {
  // Says whether the services that this one calls can take calls.
  rpc GetStatus(GetStatusRequest) returns (GetStatusResponse) {
    option idempotency_level = NO_SIDE_EFFECTS;
    option (kinora.access.v1.access) = ACCESS_PUBLIC;
  }
}

// Asks for the status.
message GetStatusRequest {}

// The status.
message GetStatusResponse {
  // The services that this one calls, by name.
  repeated Neighbour neighbours = 1;
}

// A service that this one calls.
message Neighbour {
  // Its name, such as \`user\`.
  string name = 1;
  // Whether it says that it can take calls.
  bool serving = 2;
}
`,
    [`proto/buf.gen.${name}.yaml`]: `# Generated for Node, which runs the result as it is: TypeScript without constructs that need compiling.
version: v2
clean: true
inputs:
  - directory: .
    paths: [${name}]
plugins:
  - local: protoc-gen-es
    out: ../libs/proto/${name}/gen
    opt:
      - target=ts
      - import_extension=ts
      - erasable_syntax=true
      - rewrite_imports=./buf/**/*_pb.js:@kinora/proto-common
      - rewrite_imports=./kinora/**/*_pb.js:@kinora/proto-common
`,
    [`libs/proto/${name}/package.json`]: packageJson(`@kinora/proto-${name}`, `proto-${name}`, {
      exports: { ".": "./src/index.ts", "./statements": "./gen/statements.ts" },
      dependencies: versions("@bufbuild/protobuf", "@kinora/proto-common"),
    }),
    [`libs/proto/${name}/tsconfig.json`]: tsconfig("../../..", ["src", "gen"]),
    [`libs/proto/${name}/src/index.ts`]: `/** The ${name} service's contract: messages, clients and servers, generated from \`proto/${name}\`. */
export * from "../gen/${name}/v1/${name}_service_pb.ts";
`,
  };
}
