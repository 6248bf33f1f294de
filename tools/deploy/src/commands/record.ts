import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readNumber, readSeconds } from "../cli/arguments.ts";
import { type CalledContract, packageOf } from "../contracts/contract.ts";
import { describeTested } from "../contracts/describe-contracts.ts";
import { DeployError } from "../deploy-error.ts";
import { hashSettings } from "../hash/settings.ts";
import { isPinned } from "../image/base.ts";
import { readCommit } from "../image/commit.ts";
import { bundleContractTests } from "../image/contract-tests.ts";
import { imageFolder } from "../image/image-target.ts";
import { readServiceManifest, type ServiceManifest } from "../image/service-manifest.ts";
import { untilHealthy } from "../records/health.ts";
import type { ServiceRecord } from "../records/record.ts";
import { type Context, type ExitCode, namedService } from "./context.ts";

/** `record`: notes that an environment runs what was built here (or, after a rollback, what an earlier record names), once it is healthy. */
export async function record(context: Context): Promise<ExitCode> {
  const { records, print, signal } = context;
  const { env, health, image, patience, "rollback-to": rollback } = context.arguments.values;
  const { name } = namedService(context);
  if (health === undefined)
    throw new DeployError(
      "--health URL: say where the deployed service answers; a record is only written when it does.",
    );
  if (image !== undefined && !isPinned(image)) {
    throw new DeployError(`--image: "${image}" doesn't say by its digest what runs: NAME@sha256:…`);
  }
  const [after = 0] = records.numbers(env, name);
  const to = readNumber("rollback-to", rollback);
  const entry = to === undefined ? await built(context) : { ...records.get(env, name, to), rollbackTo: to };
  await untilHealthy(health, signal, readSeconds("patience", patience));
  const written = records.append({ ...entry, recordedAt: new Date().toISOString() }, after);
  print(`${env} runs ${name} ${written.hash} (${written.image}): record ${written.number}`);
  return 0;
}

/** The record of what lies in dist/images. Its contracts and contract tests become objects, which nothing names until the record is there. */
async function built(context: Context): Promise<Omit<ServiceRecord, "number">> {
  const { workspace, config, records, signal } = context;
  const { env, image } = context.arguments.values;
  const service = namedService(context);
  const folder = join(workspace, imageFolder(service.name));
  const manifest = readServiceManifest(workspace, service.name);
  const put = (bytes: Uint8Array): string => records.putObject(env, bytes);
  const read = (path: string): Buffer => readFileSync(join(folder, path));
  const called = ({ services, descriptor, uses }: ServiceManifest["calls"][number]): CalledContract => ({
    services,
    descriptor: read(descriptor),
    uses: uses ?? undefined,
  });
  const testedOnly = (packages: string[]): Promise<CalledContract[]> => {
    const known = new Set(manifest.calls.map(({ services }) => packageOf(services[0] ?? "")));
    const others = packages.filter((name) => !known.has(name));
    return Promise.all(others.map((name) => describeTested(workspace, name, config.contracts, signal)));
  };
  const scratch = mkdtempSync(join(tmpdir(), "kinora-record-"));
  try {
    const tests = await bundleContractTests(workspace, service, scratch);
    const calls = [...manifest.calls.map(called), ...(await testedOnly([...tests.keys()]))];
    return {
      schema: 1,
      service: service.name,
      environment: env,
      recordedAt: "",
      hash: manifest.hash,
      commit: readCommit(workspace),
      image: image ?? digestOf(folder, service.name),
      provides: manifest.provides
        ? { services: manifest.provides.services, descriptor: put(read(manifest.provides.descriptor)) }
        : null,
      calls: calls.map(({ services, descriptor, uses }) => {
        const program = tests.get(packageOf(services[0] ?? ""));
        return {
          services,
          descriptor: put(descriptor),
          uses: uses ?? null,
          tests: program === undefined ? null : put(readFileSync(program)),
        };
      }),
      migrations: manifest.migrations,
      inputs: manifest.inputs,
      settings: hashSettings(workspace, service.root, env),
      rollbackTo: null,
    };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function digestOf(folder: string, service: string): string {
  const path = join(folder, "digest");
  if (existsSync(path)) return readFileSync(path, "utf8").trim();
  throw new DeployError(
    `Which image runs? Build it (kinora-deploy image ${service}) or name it: --image NAME@sha256:…`,
  );
}
