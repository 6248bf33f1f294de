import { readFileSync } from "node:fs";
import { create, type DescFile, type DescService, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { createConnectRouter } from "@connectrpc/connect";
import type { HttpRoute, Routes } from "@kinora/rpc";

/** A service's contracts, as `GET /.well-known/contracts` tells them. Descriptors are google.protobuf.FileDescriptorSet in Base64. */
export type ToldContracts = {
  service: string;
  /** The content hash that it was built from; null for a process that runs from its sources. */
  hash: string | null;
  /** What it serves; null for nothing. */
  provides: { services: string[]; descriptor: string } | null;
  /** What it was built to call, one for each package; `uses` has the methods and fields that its code names, null when that isn't known. */
  calls: { services: string[]; uses: string[] | null; descriptor: string }[];
};

/**
 * `GET /.well-known/contracts`: what a running process serves and what it was built to call, so that whoever wants to replace a neighbour of it can ask
 * whether that would break it. `buildFile` is the build.json of an image.
 */
export function contractsRoute(options: {
  service: string;
  routes: Routes;
  calls: readonly DescService[];
  buildFile?: string | undefined;
}): HttpRoute {
  let body: Buffer | undefined;
  return {
    path: "/.well-known/contracts",
    async handle(request, response) {
      if (request.method !== "GET" && request.method !== "HEAD") {
        response.setHeader("allow", "GET, HEAD");
        response.statusCode = 405;
        response.end();
        return;
      }
      // Few ask, and never the same process often.
      body ??= Buffer.from(`${JSON.stringify(tellContracts(options))}\n`);
      response.setHeader("content-type", "application/json");
      response.setHeader("content-length", body.length);
      response.end(request.method === "HEAD" ? "" : body);
    },
  };
}

type Build = { hash: string; calls: { services: string[]; uses: string[] | null }[] };

/** @throws when `buildFile` is given and can't be read */
export function tellContracts({
  service,
  routes,
  calls,
  buildFile,
}: Parameters<typeof contractsRoute>[0]): ToldContracts {
  const router = createConnectRouter();
  routes(router);
  const served = distinct(router.handlers.map((handler) => handler.service));
  const build: Build | undefined = buildFile === undefined ? undefined : JSON.parse(readFileSync(buildFile, "utf8"));
  return {
    service,
    hash: build?.hash ?? null,
    provides: served.length > 0 ? describe(served) : null,
    calls: [...Map.groupBy(distinct(calls), ({ file }) => file.proto.package).values()].map((services) => {
      const told = describe(services);
      const known = build?.calls.find((call) => call.services.some((name) => told.services.includes(name)));
      return { ...told, uses: known?.uses ?? null };
    }),
  };
}

function describe(services: readonly DescService[]): { services: string[]; descriptor: string } {
  const files = new Map<string, DescFile>();
  const visit = (file: DescFile): void => {
    if (files.has(file.name)) return;
    for (const imported of file.dependencies) visit(imported);
    files.set(file.name, file);
  };
  for (const { file } of services) visit(file);
  const set = create(FileDescriptorSetSchema, { file: [...files.values()].map(({ proto }) => proto) });
  return {
    services: services.map(({ typeName }) => typeName),
    descriptor: Buffer.from(toBinary(FileDescriptorSetSchema, set)).toString("base64"),
  };
}

function distinct(services: readonly DescService[]): DescService[] {
  const byName = new Map(services.map((service) => [service.typeName, service]));
  return [...byName.values()].sort((a, b) => (a.typeName < b.typeName ? -1 : 1));
}
