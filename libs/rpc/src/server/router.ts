import type { UniversalHandler } from "@connectrpc/connect/protocol";
import type { HttpRoute } from "../routes.ts";

/** What answers a path. */
export type Target = { call: UniversalHandler } | { route: HttpRoute } | undefined;

/** Finds what answers a path: RPCs and exact routes by their path, then the longest route that ends with "/" and begins the path. "/" alone is a page like others, and begins no path. */
export function createRouter(
  calls: readonly UniversalHandler[],
  routes: readonly HttpRoute[],
): (path: string) => Target {
  const exact = new Map<string, Target>();
  const prefixes = new Map<string, HttpRoute>();
  for (const call of calls) {
    add(exact, call.requestPath, { call });
  }
  for (const route of routes) {
    if (!route.path.startsWith("/")) {
      throw new Error(`the route ${route.path} doesn't start with "/"`);
    }
    if (route.path.endsWith("/") && route.path !== "/") {
      add(prefixes, route.path, route);
    } else {
      add(exact, route.path, { route });
    }
  }
  const longestFirst = [...prefixes.values()].sort((a, b) => b.path.length - a.path.length);
  return (path) => {
    const found = exact.get(path);
    if (found !== undefined) {
      return found;
    }
    const route = longestFirst.find((candidate) => path.startsWith(candidate.path));
    return route && { route };
  };
}

function add<T>(to: Map<string, T>, path: string, value: T): void {
  if (to.has(path)) {
    throw new Error(`two handlers for the same path ${path}`);
  }
  to.set(path, value);
}
