import type { UniversalHandler } from "@connectrpc/connect/protocol";
import type { HttpRoute } from "../routes.ts";

/** What answers a path. */
export type Target = { call: UniversalHandler } | { route: HttpRoute } | undefined;

/** Finds what answers a path: RPCs and exact routes by their path, then the longest route that ends with "/" and begins the path. */
export function createRouter(
  calls: readonly UniversalHandler[],
  routes: readonly HttpRoute[],
): (path: string) => Target {
  const exact = new Map<string, Target>();
  const add = (path: string, target: Target) => {
    if (exact.has(path)) {
      throw new Error(`two handlers for the same path ${path}`);
    }
    exact.set(path, target);
  };
  for (const call of calls) {
    add(call.requestPath, { call });
  }
  const prefixes = routes.filter(({ path }) => path.endsWith("/")).sort((a, b) => b.path.length - a.path.length);
  for (const route of routes) {
    if (!route.path.startsWith("/")) {
      throw new Error(`the route ${route.path} doesn't start with "/"`);
    }
    if (!route.path.endsWith("/")) {
      add(route.path, { route });
    }
  }
  return (path) => {
    const found = exact.get(path);
    if (found !== undefined) {
      return found;
    }
    const route = prefixes.find((candidate) => path.startsWith(candidate.path));
    return route && { route };
  };
}
