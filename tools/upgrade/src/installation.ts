import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { freePort, temporaryFolder } from "@kinora/testing";
import { type Balancer, startBalancer } from "./balancer.ts";
import { startPostgres } from "./postgres.ts";
import { type Replica, type ServiceName, startReplica } from "./replica.ts";
import type { Version } from "./version.ts";

/** Kinora as separate processes, each of which can be replaced by one of another version while it is used. */
export type Installation = {
  userUrl: string;
  encoderUrl: string;
  dataDir: string;
  /** What all processes that ran said, by service and version. */
  logs(): string;
  /** Starts a service, or replaces it: the new replica takes calls before the old one is asked to end. */
  roll(service: ServiceName, version: Version): Promise<void>;
} & AsyncDisposable;

/** One Postgres, with a database for each service; one data folder; a balancer before each service. Nothing runs yet. */
export async function createInstallation(): Promise<Installation> {
  await using starting = new AsyncDisposableStack();
  const folder = await temporaryFolder("kinora-upgrade-");
  starting.defer(() => folder.remove());
  const dataDir = join(folder.path, "data");
  const postgres = starting.use(await startPostgres(["kinora_user", "kinora_encoder"]));
  const balancers = { user: await startBalancer(), encoder: await startBalancer() };
  for (const balancer of Object.values(balancers)) starting.defer(() => balancer.close());
  const [userUrl, encoderUrl] = [balancers.user, balancers.encoder].map(({ port }) => `http://127.0.0.1:${port}`);
  if (userUrl === undefined || encoderUrl === undefined) throw new Error("There are no balancers.");

  const tokens = { SERVICE_TOKEN: "service-token-of-the-upgrade", WORKER_TOKEN: "worker-token-of-the-upgrade" };
  const common = { ...tokens, KINORA_DATA: dataDir, HOST: "127.0.0.1" };
  const environments: Record<ServiceName, Record<string, string>> = {
    user: { ...common, DATABASE_URL: postgres.url("kinora_user"), PUBLIC_URL: userUrl, ENCODER_URL: encoderUrl },
    encoder: {
      ...common,
      DATABASE_URL: postgres.url("kinora_encoder"),
      PUBLIC_URL: encoderUrl,
      INTERNAL_URL: encoderUrl,
      USER_URL: userUrl,
    },
    "encoder-worker": { ...common, ENCODER_URL: encoderUrl },
  };
  const running = new Map<ServiceName, Replica>();
  const all: Replica[] = [];
  starting.defer(async () => {
    for (const replica of running.values()) await replica.stop().catch(() => {});
  });
  const started = starting.move();

  return {
    userUrl,
    encoderUrl,
    dataDir,
    logs: () => all.map(({ service, version, output }) => `::: ${service} of ${version.name}\n${output()}`).join("\n"),
    async roll(service, version) {
      // A worker of its own folder: two of them would clear each other's leftovers.
      const own = { KINORA_DATA: service === "encoder-worker" ? join(dataDir, `worker-${all.length}`) : dataDir };
      await mkdir(own.KINORA_DATA, { recursive: true });
      const replica = await startReplica(version, service, await freePort(), { ...environments[service], ...own });
      all.push(replica);
      const former = running.get(service);
      running.set(service, replica);
      const balancer: Balancer | undefined = service === "encoder-worker" ? undefined : balancers[service];
      balancer?.use(former === undefined ? [replica.port] : [former.port, replica.port]);
      if (former === undefined) return;
      await bothForAWhile();
      balancer?.use([replica.port]);
      await former.stop();
    },
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}

/** Old and new side by side, as in a rolling update. */
function bothForAWhile(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 2_000));
}
