import { packageJson, tsconfig, type Versions } from "./package-files.ts";
import type { ServicePlan } from "./plan-service.ts";

/** The service itself: what it does, behind its contract. */
export function libraryFiles({ name, title }: ServicePlan, versions: Versions): Record<string, string> {
  const root = `libs/${name}`;
  return {
    [`${root}/package.json`]: packageJson(`@kinora/${name}`, `lib-${name}`, {
      dependencies: versions("@connectrpc/connect", "@kinora/proto-common", "@kinora/rpc"),
    }).replace('"@kinora/proto-common"', `"@kinora/proto-${name}": "0.1.0",\n    "@kinora/proto-common"`),
    [`${root}/tsconfig.json`]: tsconfig("../..", ["src"]),
    [`${root}/src/index.ts`]: `/** The ${name} service, behind \`${name}.v1\`. */
export { create${title}Service, type ${title}Service, type ${title}ServiceDeps } from "./${name}-service.ts";
`,
    [`${root}/src/${name}-service.ts`]: `import type { Transport } from "@connectrpc/connect";
import { ${title}Service as Contract } from "@kinora/proto-${name}";
import type { Routes } from "@kinora/rpc";
import { isServing } from "./neighbour.ts";

/** What the ${name} service needs. */
export type ${title}ServiceDeps = {
  /** The services that it calls, by name. */
  neighbours: Readonly<Record<string, Transport>>;
};

/** The ${name} service as a value. */
export type ${title}Service = { routes: Routes };

/** Makes the ${name} service. */
export function create${title}Service({ neighbours }: ${title}ServiceDeps): ${title}Service {
  return {
    routes(router) {
      router.service(Contract, {
        async getStatus(_request, { signal }) {
          const asked = Object.entries(neighbours).map(async ([name, transport]) => ({
            name,
            serving: await isServing(transport, signal),
          }));
          return { neighbours: await Promise.all(asked) };
        },
      });
    },
  };
}
`,
    [`${root}/src/neighbour.ts`]: `import { createClient, type Transport } from "@connectrpc/connect";
import { Health, HealthCheckResponse_ServingStatus as Status } from "@kinora/proto-common";

/** Longest wait for an answer, in milliseconds. */
const patienceMs = 2_000;

/** Whether a service says that it can take calls. One that can't be reached doesn't. */
export async function isServing(transport: Transport, signal: AbortSignal): Promise<boolean> {
  const health = createClient(Health, transport);
  const answer = await health.check({}, { signal, timeoutMs: patienceMs }).catch(() => undefined);
  signal.throwIfAborted();
  return answer?.status === Status.SERVING;
}
`,
    [`${root}/src/${name}-service.test.ts`]: `import { createClient, createRouterTransport } from "@connectrpc/connect";
import { Health, HealthCheckResponse_ServingStatus as Status } from "@kinora/proto-common";
import { ${title}Service } from "@kinora/proto-${name}";
import { expect, it } from "vitest";
import { create${title}Service } from "./${name}-service.ts";

const neighbour = (status: Status) =>
  createRouterTransport((router) => router.service(Health, { check: () => ({ status }) }));

it("says which of the services that it calls can take calls", async () => {
  const neighbours = {
    well: neighbour(Status.SERVING),
    ill: neighbour(Status.NOT_SERVING),
    // Without the health service, as if nobody was there.
    gone: createRouterTransport(() => {}),
  };
  const client = createClient(${title}Service, createRouterTransport(create${title}Service({ neighbours }).routes));
  expect(await client.getStatus({})).toMatchObject({
    neighbours: [
      { name: "well", serving: true },
      { name: "ill", serving: false },
      { name: "gone", serving: false },
    ],
  });
});
`,
  };
}
