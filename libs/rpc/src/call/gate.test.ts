import { once } from "node:events";
import { connect } from "node:net";
import { clearExtension, create, createFileRegistry, type DescFile, fromBinary, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Access, access } from "@kinora/proto-common";
import { file_kinora_testing_v1_echo_service } from "@kinora/proto-common/kinora/testing/v1/echo_service_pb.js";
import { describe, expect, it } from "vitest";
import { createServer } from "../server/create-server.ts";
import { echoAuthenticate } from "../testing/echo-service.ts";
import { recordingLogger } from "../testing/recording-logger.ts";
import { startServer } from "../testing/start-server.ts";

describe("the gate", () => {
  it("refuses a call before its body has come", async () => {
    await using server = await startServer();
    const socket = connect(server.port, "127.0.0.1");
    socket.write(
      "POST /kinora.testing.v1.EchoService/EchoUser HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{",
    );
    const [answer] = await once(socket, "data");
    expect(String(answer)).toMatch(/^HTTP\/1\.1 401 /);
    expect(String(answer)).toMatch(/www-authenticate: Bearer/i);
    socket.destroy();
  });

  it("answers a refusal in the form of the protocol, with what is needed", async () => {
    await using server = await startServer();
    const call = (method: string, authorization?: string) =>
      fetch(`${server.url}/kinora.testing.v1.EchoService/${method}`, {
        method: "POST",
        headers: { "content-type": "application/json", ...(authorization === undefined ? {} : { authorization }) },
        body: "{}",
      });
    const nobody = await call("EchoUser");
    expect(nobody.status).toBe(401);
    expect(await nobody.json()).toEqual({
      code: "unauthenticated",
      message: "this call needs a user's access token (header Authorization: Bearer …)",
    });
    const wrong = await call("EchoUser", "Bearer worker");
    expect(wrong.status).toBe(403);
    expect(await wrong.json()).toEqual({
      code: "permission_denied",
      message: "this call needs a user's access token; a worker credential came with it",
    });
  });
});

describe("a method that doesn't state who may call it", () => {
  it("keeps the server from starting, by name", () => {
    const service = withoutAccess(file_kinora_testing_v1_echo_service, "EchoUser");
    const options = { authenticate: echoAuthenticate, logger: recordingLogger() };
    expect(() => createServer({ ...options, routes: (router) => void router.service(service, {}) })).toThrow(
      /kinora\.testing\.v1\.EchoService\.EchoUser doesn't state who may call it.*kinora\.access\.v1\.access/,
    );
  });

  it("is open to whom the server says, where the contract isn't ours", async () => {
    const service = withoutAccess(file_kinora_testing_v1_echo_service, "EchoUser");
    await using server = await startServer({
      routes: (router) => void router.service(service, {}),
      accessOf: (method) => (method.name === "EchoUser" ? Access.SERVICE : Access.WORKER),
    });
    const call = (method: string) =>
      fetch(`${server.url}/kinora.testing.v1.EchoService/${method}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: "{}",
      });
    const refused = await call("EchoUser");
    expect(refused.status).toBe(401);
    expect(await refused.text()).toMatch(/needs a service credential/);
    // Its contract says that anybody may, and goes before what the server says.
    expect((await call("Echo")).status).toBe(400);
  });
});

/** The file's service with the access statement of one method taken away. */
function withoutAccess(file: DescFile, method: string) {
  const proto = fromBinary(FileDescriptorProtoSchema, toBinary(FileDescriptorProtoSchema, file.proto));
  const options = proto.service[0]?.method.find(({ name }) => name === method)?.options;
  if (options === undefined) {
    throw new Error("no such method");
  }
  clearExtension(options, access);
  const files = [proto];
  for (let rest = file.dependencies; rest.length > 0; rest = rest.flatMap(({ dependencies }) => dependencies)) {
    files.unshift(...rest.map((dependency) => dependency.proto));
  }
  const unique = [...new Map(files.map((f) => [f.name, f])).values()];
  const service = createFileRegistry(create(FileDescriptorSetSchema, { file: unique })).getService(
    "kinora.testing.v1.EchoService",
  );
  if (service === undefined) {
    throw new Error("no such service");
  }
  return service;
}
