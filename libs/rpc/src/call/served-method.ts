import type { DescMethod, DescService } from "@bufbuild/protobuf";
import {
  type ConnectRouter,
  createMethodImplSpec,
  createServiceImplSpec,
  type MethodImplSpec,
} from "@connectrpc/connect";
import type { UniversalHandler } from "@connectrpc/connect/protocol";
import { isOwned } from "../ownership.ts";
import type { Routes } from "../routes.ts";
import type { MethodLatency } from "../shedding/method-latency.ts";
import type { Shedding } from "../shedding/shedding.ts";
import type { AccessRule } from "./access.ts";

/** A unary method's implementation. */
export type UnarySpec = Extract<MethodImplSpec, { kind: "unary" }>;

/** The implementation of a method that answers one message with a stream of them. */
export type ServerStreamSpec = Extract<MethodImplSpec, { kind: "server_streaming" }>;

/** What is known of a method before anybody answers it. */
export type MethodFacts = {
  readonly method: DescMethod;
  /** `service/method`, as logs have it. */
  readonly name: string;
  /** Who may call it. */
  readonly access: AccessRule;
  /** What refuses its calls under overload, with what it knows of the method; undefined if they never are. */
  readonly shed: { readonly by: Shedding; readonly latency: MethodLatency } | undefined;
};

/** A method as a server knows it. */
export type ServedMethod = MethodFacts & {
  /** `/service/method`, as requests have it. */
  readonly path: string;
  /** Connect's own handler: any protocol, any kind of method. */
  readonly handler: UniversalHandler;
  /** What answers a method with one request message, for calls that need nothing else of Connect. */
  readonly direct: UnarySpec | ServerStreamSpec | undefined;
};

/** A router that also tells the implementations that it was given. */
export type RecordingRouter = { router: ConnectRouter; implementations: ReadonlyMap<DescMethod, MethodImplSpec> };

/**
 * Connect's router hides implementations behind its handlers. This one notes them as well; not those that were registered with options of their
 * own, which only Connect's handlers know how to keep. Throws for a service that answers for resources without asking whose they are, where that is required.
 */
export function recordRoutes(routes: Routes, stock: ConnectRouter, ownersRequired = false): RecordingRouter {
  const implementations = new Map<DescMethod, MethodImplSpec>();
  const router: ConnectRouter = {
    handlers: stock.handlers,
    service(service, implementation, options) {
      if (ownersRequired && !isOwned(service, implementation)) {
        throw new Error(`${service.typeName} has methods that name resources: put its handlers behind owned()`);
      }
      stock.service(service, implementation, options);
      if (options === undefined) {
        for (const spec of Object.values(createServiceImplSpec(service, implementation).methods)) {
          implementations.set(spec.method, spec);
        }
      }
      return this;
    },
    rpc(method, implementation, options) {
      stock.rpc(method, implementation, options);
      if (options === undefined) {
        implementations.set(method, createMethodImplSpec(method, implementation));
      }
      return this;
    },
  };
  routes(router);
  return { router, implementations };
}

/** The services that the methods belong to. */
export function servicesOf(methods: readonly ServedMethod[]): DescService[] {
  return [...new Set(methods.map(({ method }) => method.parent))];
}
