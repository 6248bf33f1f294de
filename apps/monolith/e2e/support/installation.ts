import { join } from "node:path";
import { type Exit, freePort, type NodeProcess, startNode, temporaryFolder, waitUntilReady } from "@kinora/testing";

/** The forms that Kinora runs in. */
export type Form = "monolith" | "services";

/** The processes of a form, by name. */
type ProcessName = "monolith" | "user" | "encoder" | "encoder-worker";

/** A Kinora of its own for one test: own data, own ports, own command line state. */
export type Installation = {
  dataDir: string;
  userUrl: string;
  encoderUrl: string;
  /** Names of the processes, in the order in which they start. */
  names: ProcessName[];
  /** Starts a process (again) and waits until it is ready. */
  start(name: ProcessName): Promise<NodeProcess>;
  /** Starts all. */
  startAll(): Promise<void>;
  process(name: ProcessName): NodeProcess;
  /** Runs `kinora` to its end. */
  kinora(...args: string[]): Promise<Exit>;
  /** Starts `kinora` and returns at once. */
  startKinora(...args: string[]): NodeProcess;
  /** A free place for files of the test. */
  path(name: string): string;
} & AsyncDisposable;

/** Prepares an installation; nothing runs yet. `env` goes to every process. */
export async function createInstallation(form: Form, env: Record<string, string> = {}): Promise<Installation> {
  const folder = await temporaryFolder("kinora-e2e-");
  const dataDir = join(folder.path, "data");
  const names: ProcessName[] = form === "monolith" ? ["monolith"] : ["user", "encoder", "encoder-worker"];
  const ports = { user: await freePort(), encoder: await freePort() };
  if (form === "monolith") ports.encoder = ports.user;
  const userUrl = `http://127.0.0.1:${ports.user}`;
  const encoderUrl = `http://127.0.0.1:${ports.encoder}`;
  const running = new Map<ProcessName, NodeProcess>();
  const own: Record<ProcessName, { env: Record<string, string>; readyUrl?: string }> = {
    monolith: { env: { PORT: String(ports.user), PUBLIC_URL: userUrl }, readyUrl: userUrl },
    user: { env: { PORT: String(ports.user), ENCODER_URL: encoderUrl, PUBLIC_URL: userUrl }, readyUrl: userUrl },
    encoder: { env: { PORT: String(ports.encoder), USER_URL: userUrl, PUBLIC_URL: encoderUrl }, readyUrl: encoderUrl },
    "encoder-worker": { env: { ENCODER_URL: encoderUrl } },
  };

  const cliEnv = { KINORA_DATA: dataDir, XDG_CONFIG_HOME: join(folder.path, "config"), KINORA_SERVER: undefined };
  const installation: Installation = {
    dataDir,
    userUrl,
    encoderUrl,
    names,
    async start(name) {
      const started = startNode(`apps/${name}/src/main.ts`, {
        env: { KINORA_DATA: dataDir, DATABASE_URL: undefined, ...own[name].env, ...env },
      });
      running.set(name, started);
      const { readyUrl } = own[name];
      if (readyUrl !== undefined) {
        const early = started.exit.then(() => {
          throw new Error(`${name} ended instead of starting:\n${started.output()}`);
        });
        await Promise.race([waitUntilReady(readyUrl), early]);
      }
      return started;
    },
    async startAll() {
      for (const name of names) await installation.start(name);
    },
    process(name) {
      const found = running.get(name);
      if (found === undefined) throw new Error(`${name} was not started.`);
      return found;
    },
    kinora: (...args) => installation.startKinora(...args).exit,
    startKinora: (...args) => startNode("apps/cli/src/main.ts", { args, env: cliEnv }),
    path: (name) => join(folder.path, name),
    async [Symbol.asyncDispose]() {
      await Promise.all([...running.values()].map((one) => one.stop("SIGTERM")));
      await folder.remove();
    },
  };
  return installation;
}
