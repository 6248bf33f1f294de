import { packageJson, tsconfig, type Versions } from "./package-files.ts";
import type { ServicePlan } from "./plan-service.ts";

/** What is deployed: reads the environment, wires the service and serves it. */
export function appFiles(plan: ServicePlan, versions: Versions): Record<string, string> {
  const { name, title, port, calls } = plan;
  const root = `apps/${name}`;
  const variable = (service: string): string => `${service.toUpperCase()}_URL`;
  return {
    [`${root}/package.json`]: packageJson(`@kinora/app-${name}`, name, {
      deploy: { port },
      dependencies: { [`@kinora/${name}`]: "0.1.0", ...versions("@kinora/rpc", "@kinora/service") },
      devDependencies: {
        ...versions("@connectrpc/connect", "@kinora/kubernetes", "@kinora/proto-common"),
        [`@kinora/proto-${name}`]: "0.1.0",
        ...versions("@kinora/testing"),
      },
    }),
    [`${root}/tsconfig.json`]: tsconfig("../..", ["src", "deploy", "contract"]),
    [`${root}/README.md`]: `# ${name}

| | |
|---|---|
| what it answers | [\`proto/${name}/v1\`](../../proto/${name}/v1/${name}_service.proto) |
| what it does | [\`libs/${name}\`](../../libs/${name}) |
| run it | \`npx nx serve ${name}\`, port ${port} |
| try it | \`npx buf curl --protocol grpc --http2-prior-knowledge http://localhost:${port}/${name}.v1.${title}Service/GetStatus\` |
| test it | \`npx nx run-many -t typecheck lint test -p proto-${name} lib-${name} ${name}\` |
| what it relies on | [\`contract/\`](contract): tests that the services which it calls are held to before they are deployed |
| in a cluster | [\`deploy/\`](deploy/manifests.ts), then \`npx kinora-manifests ${name}\` |
| deploy it | \`npx kinora-deploy plan\`, \`npx kinora-deploy can-i-deploy ${name} --env production\`; on GitHub by \`deploy-${name}.yml\` |

It shows those that it calls no credential, since their health needs none. For more it has an API key of its own, as the encoder has (\`apps/encoder/src/encoder-credential.ts\`).
It has no database yet: \`libs/database\` gives it one (see \`apps/user/src/start.ts\`), with migrations that only expand and a \`--migrate\` for the deploy.
`,
    [`${root}/src/index.ts`]: `/** Runs the ${name} service as a process of its own. */
export { start${title} } from "./start.ts";
`,
    [`${root}/src/main.ts`]: `import { runMain } from "@kinora/service";
import { start${title} } from "./start.ts";

await runMain({ name: "${name}", start: start${title} });
`,
    [`${root}/src/config.ts`]: `import {
  type ConfigOf,
  commonSettings,
  type Env,
  port,
  readConfig,
  serviceAddress,
} from "@kinora/service";

const spec = {
  ...commonSettings,
  PORT: port({ default: ${port} }),
${calls
  .map(
    (
      call,
    ) => `  /** Where the ${call.name} service is${call.name === "user" ? "; its keys verify access tokens" : ""}. */
  ${variable(call.name)}: serviceAddress({ default: "http://localhost:${call.port}" }),
`,
  )
  .join("")}};

/** The ${name} service's environment. */
export type ${title}Config = ConfigOf<typeof spec>;

/** Reads it; throws one ConfigError that names everything that is wrong. */
export function read${title}Config(env: Env): ${title}Config {
  return readConfig(env, spec);
}
`,
    [`${root}/src/start.ts`]: `import { create${title}Service } from "@kinora/${name}";
import { createClientTransport, createServer } from "@kinora/rpc";
import {
  configuredLogger,
  contractsRoute,
  createAuthenticator,
  type Env,
  remoteKeys,
  startTelemetry,
  webAddress,
} from "@kinora/service";
import { read${title}Config } from "./config.ts";

/** Starts the ${name} service from its environment; \`close\` ends it within 5 s, with calls in flight finished. */
export async function start${title}({ env }: { env: Env }): Promise<{ url: string; close(): Promise<void> }> {
  const config = read${title}Config(env);
  const logger = configuredLogger("${name}", config);

  // What is started is ended in the opposite order, also when a later part can't start.
  await using starting = new AsyncDisposableStack();
  const telemetry = await startTelemetry(config, "${name}", logger);
  starting.defer(() => telemetry.close());
  const connect = (baseUrl: string) => {
    const transport = createClientTransport({ baseUrl, logger, telemetry: telemetry.calls });
    starting.defer(() => transport.close());
    return transport;
  };
  const service = create${title}Service({
    neighbours: { ${calls.map((call) => `${call.name}: connect(config.${variable(call.name)})`).join(", ")} },
  });
  const keys = remoteKeys(webAddress(config.USER_URL));
  starting.defer(() => keys.close());
  const { routes } = service;
  const server = createServer({
    routes,
    http: [contractsRoute({ service: "${name}", routes, calls: [], buildFile: config.BUILD_FILE })],
    authenticate: createAuthenticator({ keys }),
    logger,
    telemetry: telemetry.calls,
  });
  const { url } = await server.listen({ port: config.PORT, host: config.HOST });
  starting.defer(() => server.close());
  logger.info(\`${name} is ready at \${url}\`);

  const started = starting.move();
  return { url, close: () => started.disposeAsync() };
}
`,
    [`${root}/src/start.test.ts`]: `import { createClient } from "@connectrpc/connect";
import { ${title}Service } from "@kinora/proto-${name}";
import { createClientTransport } from "@kinora/rpc";
import { freePort, startNode, temporaryFolder, waitUntilReady } from "@kinora/testing";
import { expect, it } from "vitest";

it("starts, answers gRPC, and ends at a signal; what is wrong is told in one line", async () => {
  const folder = await temporaryFolder();
  const port = await freePort();
  const start = (env: Record<string, string>) =>
    startNode("apps/${name}/src/main.ts", { env: { KINORA_DATA: folder.path, PORT: String(port), ...env } });
  const nobody = \`http://127.0.0.1:\${await freePort()}\`;
  const running = start({ ${calls.map((call) => `${variable(call.name)}: nobody`).join(", ")} });
  const url = \`http://127.0.0.1:\${port}\`;
  await waitUntilReady(url);

  const transport = createClientTransport({ baseUrl: url });
  const { neighbours } = await createClient(${title}Service, transport).getStatus({});
  expect(neighbours).toMatchObject([${calls.map((call) => `{ name: "${call.name}", serving: false }`).join(", ")}]);
  transport.close();
  expect(await running.stop("SIGTERM")).toMatchObject({ code: 0 });

  const { code, stderr } = await start({ USER_URL: "nowhere" }).exit;
  expect(code).toBe(1);
  expect(stderr).toContain('${name}: wrong configuration: USER_URL="nowhere": expected');
  await folder.remove();
});
`,
    [`${root}/deploy/environments.ts`]: `import type { EnvironmentName } from "@kinora/kubernetes";

/** What differs between the environments. */
export const environments: Record<EnvironmentName, { replicas: { min: number; max: number } }> = {
  staging: { replicas: { min: 1, max: 2 } },
  production: { replicas: { min: 2, max: 4 } },
};
`,
    [`${root}/deploy/manifests.ts`]: `import { type Manifests, serviceManifests, type Target } from "@kinora/kubernetes";
import { environments } from "./environments.ts";

/** The ${name} service in Kubernetes. */
export function manifests(target: Target): Manifests {
  const { environment, ports } = target;
  return serviceManifests(
    {
      name: "${name}",
      team: "${plan.team}",
      public: false,
      migrations: false,
      calls: [${calls.map((call) => `"${call.name}"`).join(", ")}],
      settings: { ${calls.map((call) => `${variable(call.name)}: \`dns:///${call.name}:\${ports.${call.name}}\``).join(", ")} },
      secrets: [],
      resources: { cpu: "100m", memory: "256Mi" },
      dataSize: "16Mi",
      replicas: environments[environment.name].replicas,
    },
    target,
  );
}
`,
  };
}
