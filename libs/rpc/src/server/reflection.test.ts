import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import { reflectionV1 } from "@kinora/proto-common";
import { repositoryRoot } from "@kinora/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createClientTransport } from "../client/client-transport.ts";
import { startServer, type TestServer } from "../testing/start-server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

async function bufCurl(...parameters: string[]): Promise<string> {
  const buf = join(repositoryRoot, "node_modules/.bin/buf");
  const run = promisify(execFile)(buf, ["curl", ...parameters], { timeout: 30_000 });
  return (await run).stdout;
}

describe("reflection", () => {
  it.each([
    ["grpc", "grpc-v1"],
    ["grpc", "grpc-v1alpha"],
    ["connect", "grpc-v1"],
    ["grpcweb", "grpc-v1"],
  ])("lets buf curl call by %s, having asked by %s", async (protocol, reflectProtocol) => {
    const answer = await bufCurl(
      ...["--http2-prior-knowledge", "--protocol", protocol, "--reflect-protocol", reflectProtocol],
      ...["--data", '{"text": "hello"}', `${server.url}/kinora.testing.v1.EchoService/Echo`],
    );
    expect(JSON.parse(answer)).toEqual({ text: "hello" });
  });

  it("lists the services", async () => {
    const list = await bufCurl("--http2-prior-knowledge", "--list-methods", server.url);
    expect(list).toContain("kinora.testing.v1.EchoService/Count");
    expect(list).toContain("grpc.health.v1.Health/Check");
  });

  it("answers every kind of question, and says what it doesn't have", async () => {
    type Question = reflectionV1.ServerReflectionRequest["messageRequest"];
    const client = createClient(reflectionV1.ServerReflection, createClientTransport({ baseUrl: server.url }));
    async function* requests(questions: Question[]) {
      for (const messageRequest of questions) {
        yield { host: "h", messageRequest };
      }
    }
    const answers: reflectionV1.ServerReflectionResponse["messageResponse"][] = [];
    for await (const response of client.serverReflectionInfo(
      requests([
        { case: "fileByFilename", value: "kinora/testing/v1/echo_service.proto" },
        { case: "fileContainingSymbol", value: "kinora.testing.v1.EchoService.Echo" },
        { case: "fileContainingSymbol", value: "kinora.testing.v1.EchoRequest.text" },
        { case: "fileContainingSymbol", value: "google.protobuf.MethodOptions" },
        { case: "fileContainingSymbol", value: "no.Such" },
        { case: "allExtensionNumbersOfType", value: "google.protobuf.MethodOptions" },
        {
          case: "fileContainingExtension",
          value: {
            $typeName: "grpc.reflection.v1.ExtensionRequest",
            containingType: "google.protobuf.MethodOptions",
            extensionNumber: 50801,
          },
        },
        { case: "fileByFilename", value: "no/such.proto" },
      ]),
    )) {
      expect(response.validHost).toBe("h");
      answers.push(response.messageResponse);
    }
    const names = answers.map((answer) =>
      answer.case === "fileDescriptorResponse"
        ? answer.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes).name)
        : answer.case === "allExtensionNumbersResponse"
          ? answer.value.extensionNumber
          : answer.case === "errorResponse"
            ? answer.value.errorCode
            : answer.case,
    );
    const echoFiles = [
      "kinora/testing/v1/echo_service.proto",
      "buf/validate/validate.proto",
      "kinora/access/v1/access.proto",
      "google/protobuf/descriptor.proto",
    ];
    expect(names).toEqual([
      echoFiles,
      echoFiles,
      echoFiles,
      ["google/protobuf/descriptor.proto"],
      5,
      [50801, 50802],
      ["kinora/access/v1/access.proto", "google/protobuf/descriptor.proto"],
      5,
    ]);
  });
});
