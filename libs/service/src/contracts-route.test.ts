import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { reflectionV1 } from "@kinora/proto-common";
import { EchoService } from "@kinora/proto-common/kinora/testing/v1/echo_service_pb.js";
import { createServer } from "@kinora/rpc";
import { expect, it } from "vitest";
import { contractsRoute, type ToldContracts, tellContracts } from "./contracts-route.ts";
import { createLogger } from "./logger.ts";

const options = {
  service: "echo",
  routes: (router: Parameters<Parameters<typeof contractsRoute>[0]["routes"]>[0]) => {
    router.service(EchoService, {});
  },
  calls: [reflectionV1.ServerReflection],
};
const read = (descriptor: string) =>
  createFileRegistry(fromBinary(FileDescriptorSetSchema, Buffer.from(descriptor, "base64")));

it("a running service tells what it serves and calls, with all that these import", async () => {
  const server = createServer({
    routes: options.routes,
    http: [contractsRoute(options)],
    authenticate: async () => ({ kind: "anonymous" }),
    logger: createLogger({ name: "echo", level: "fatal" }),
  });
  try {
    const { url } = await server.listen({ port: 0, host: "127.0.0.1" });
    const answer = await fetch(`${url}/.well-known/contracts`);
    const told: ToldContracts = JSON.parse(await answer.text());
    expect(told).toMatchObject({
      service: "echo",
      hash: null,
      provides: { services: [EchoService.typeName] },
      calls: [{ services: [reflectionV1.ServerReflection.typeName], uses: null }],
    });
    expect(read(told.provides?.descriptor ?? "").getService(EchoService.typeName)?.methods.length).toBe(
      EchoService.methods.length,
    );
    expect(read(told.calls[0]?.descriptor ?? "").getService(reflectionV1.ServerReflection.typeName)).toBeDefined();
    expect((await fetch(`${url}/.well-known/contracts`, { method: "POST" })).status).toBe(405);
  } finally {
    await server.close(0);
  }
});

it("what its image knows is told as well", () => {
  const folder = mkdtempSync(join(tmpdir(), "build-"));
  try {
    const buildFile = join(folder, "build.json");
    const calls = [{ services: [reflectionV1.ServerReflection.typeName], uses: ["a.B.c"] }];
    writeFileSync(buildFile, JSON.stringify({ hash: "7", calls }));
    expect(tellContracts({ ...options, buildFile })).toMatchObject({ hash: "7", calls: [{ uses: ["a.B.c"] }] });
    expect(tellContracts({ ...options, routes: () => {}, calls: [] })).toMatchObject({ provides: null, calls: [] });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
