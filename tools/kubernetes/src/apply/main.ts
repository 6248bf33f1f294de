import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { portOf } from "../ports.ts";
import { portsIn } from "../services.ts";
import { apply, withHealth } from "./apply.ts";
import { createKubectl } from "./kubectl.ts";
import { prepareRelease } from "./release.ts";

const workspace = fileURLToPath(new URL("../../../../", import.meta.url));
const usage = `Usage: kinora-apply SERVICE --env ENV --image IMAGE [-- COMMAND…]

Brings a version of a service into the cluster that kubectl is configured for: first its migration, then its pods; waits for both.
Then runs COMMAND, if there is one, with HEALTH_URL set to where the new version answers gRPC health; exit code 0 if all of it worked.

  --image IMAGE   by digest: registry.example.org/kinora/user@sha256:…`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      env: { type: "string" },
      image: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const [service, ...command] = positionals;
  const { env: environment, image } = values;
  if (values.help || service === undefined || environment === undefined || image === undefined) {
    console.log(usage);
    return values.help ? 0 : 2;
  }
  const folder = join(workspace, "dist/manifests");
  const { release, namespace } = await prepareRelease({ workspace, service, environment, image, folder });
  const kubectl = createKubectl(namespace);
  await apply(kubectl, release, (line) => console.log(line));
  if (command.length > 0) {
    await withHealth(kubectl, release, portOf(service, portsIn(workspace)), (url) => runWith(url, command));
  }
  return 0;
}

async function runWith(url: string, [program = "", ...args]: readonly string[]): Promise<void> {
  const child = spawn(program, args, { stdio: "inherit", env: { ...process.env, HEALTH_URL: url } });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`${program} ended with ${code}.`);
}

process.exitCode = await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  return 1;
});
