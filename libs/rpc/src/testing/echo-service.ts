import type { ServiceImpl } from "@connectrpc/connect";
import { EchoService } from "@kinora/proto-common/kinora/testing/v1/echo_service_pb.js";
import { type Authenticate, requireUser } from "../caller.ts";
import { DomainError } from "../domain-error.ts";
import type { Routes } from "../routes.ts";

/** Handlers that do what their names say; a test replaces the ones that it is about. */
export function echoRoutes(own: Partial<ServiceImpl<typeof EchoService>> = {}): Routes {
  return (router) => {
    router.service(EchoService, {
      echo: ({ text, words }) => ({ text, words }),
      echoUser: ({ text }, context) => ({ text, userId: requireUser(context).userId }),
      echoService: ({ text }) => ({ text }),
      echoWorker: ({ text }) => ({ text }),
      echoEither: ({ text }) => ({ text }),
      async *count({ count }) {
        for (let number = 1; number <= count; number++) {
          yield { number };
        }
      },
      async sum(requests) {
        let sum = 0;
        for await (const { number } of requests) {
          sum += number;
        }
        return { sum };
      },
      async *chat(requests) {
        for await (const { text } of requests) {
          yield { text };
        }
      },
      ...own,
    });
  };
}

const all = { scopes: "all", audiences: "all" } as const;

/** Knows the credentials `Bearer user`, `Bearer service` and `Bearer worker`. */
export const echoAuthenticate: Authenticate = async (authorization) => {
  switch (authorization) {
    case undefined:
      return { kind: "anonymous" };
    case "Bearer user":
      return { kind: "user", userId: "u1", role: "member", sessionId: "s1", ...all };
    case "Bearer service":
      return { kind: "service", id: "built-in", ...all };
    case "Bearer other service":
      return { kind: "service", id: "other", ...all };
    case "Bearer worker":
      return { kind: "worker", id: "built-in", ...all };
    default:
      throw new DomainError("unauthenticated", "this token isn't valid; log in again");
  }
};
