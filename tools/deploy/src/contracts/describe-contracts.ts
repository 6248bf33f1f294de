import type { Config } from "../config.ts";
import { DeployError } from "../deploy-error.ts";
import { buildContracts } from "./buf.ts";
import { type CalledContract, packageOf, type ServiceContracts } from "./contract.ts";
import { extractServices, qualify, readDescriptorSet, writeDescriptorSet } from "./descriptor-set.ts";
import { type ContractUse, findUses } from "./find-uses.ts";

/** The contracts of a service as the working tree has it, told from its code and from the .proto files. */
export async function describeContracts(
  workspace: string,
  root: string,
  config: Config["contracts"],
  signal?: AbortSignal,
): Promise<ServiceContracts> {
  const all = await buildContracts(workspace, config.folder, signal);
  return contractsOf(findUses(workspace, `${root}/src/main.ts`), all, config.ignore);
}

/**
 * The contract of a package as a caller has it who relies on it otherwise than by a client that our code shows (by HTTP, through a library): nothing in it is used by name,
 * and what counts is what its contract tests say.
 * @throws DeployError for a package without services
 */
export async function describeTested(
  workspace: string,
  packageName: string,
  config: Config["contracts"],
  signal?: AbortSignal,
): Promise<CalledContract> {
  const set = readDescriptorSet(await buildContracts(workspace, config.folder, signal), "this workspace");
  const services = set.file
    .filter((file) => file.package === packageName)
    .flatMap((file) => file.service.map(({ name }) => qualify(file, name)))
    .sort();
  if (services.length === 0) {
    throw new DeployError(`There are contract tests for ${packageName}, and no service in a contract of that name.`);
  }
  return { services, descriptor: writeDescriptorSet(extractServices(set, services)), uses: [] };
}

/** Cuts what one service serves and calls out of all contracts. */
export function contractsOf(use: ContractUse, all: Uint8Array, ignore: readonly string[]): ServiceContracts {
  const set = readDescriptorSet(all, "this workspace");
  const ours = (service: string): boolean => !ignore.includes(service.split(".")[0] ?? "");
  const serves = use.serves.filter(ours);
  const packages = Map.groupBy(use.calls.filter(ours), packageOf);
  return {
    provides:
      serves.length > 0
        ? { services: serves, descriptor: writeDescriptorSet(extractServices(set, serves)) }
        : undefined,
    calls: [...packages.values()].map((services): CalledContract => {
      const called = extractServices(set, services);
      const prefixes = called.file.map((file) => qualify(file, ""));
      // A client that no method is seen called on may have been handed to code that we can't follow.
      const seen = services.every((service) => use.uses.some((name) => name.startsWith(`${service}.`)));
      return {
        services,
        descriptor: writeDescriptorSet(called),
        uses: seen ? use.uses.filter((name) => prefixes.some((prefix) => name.startsWith(prefix))) : undefined,
      };
    }),
  };
}
