import http from "node:http";
import type { Plugin } from "esbuild";

/** What the bundler calls the module that stands for `node:http`; no file. */
export const httpNamespace = "builtin";

/**
 * `import "node:http"` reads every export, and three of them (`WebSocket` and its events) load Node's whole fetch client: 40 ms of CPU at the start of a process that
 * takes 25 ms to do nothing. The same module, asked for by `process.getBuiltinModule`, loads them when they are used. Who imports one of the three fails to bundle.
 */
export function httpPlugin(): Plugin {
  const members = Object.entries(Object.getOwnPropertyDescriptors(http))
    .filter(([, member]) => "value" in member)
    .map(([name]) => name);
  return {
    name: "http",
    setup(build) {
      build.onResolve({ filter: /^(node:)?http$/ }, ({ kind }) =>
        kind === "import-statement" || kind === "dynamic-import"
          ? { path: "http", namespace: httpNamespace }
          : undefined,
      );
      build.onLoad({ filter: /^http$/, namespace: httpNamespace }, () => ({
        contents: `const http = process.getBuiltinModule("node:http");\nexport default http;\nexport const { ${members.join(", ")} } = http;\n`,
        loader: "js",
      }));
    },
  };
}
