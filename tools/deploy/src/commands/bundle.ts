import { describeContracts } from "../contracts/describe-contracts.ts";
import { DeployError } from "../deploy-error.ts";
import { hashServices, type ServiceHash } from "../hash/hash-services.ts";
import { loadGraph } from "../hash/load-graph.ts";
import { imageFolder } from "../image/image-target.ts";
import { makeImageFolder } from "../image/make-image-folder.ts";
import { type Context, type ExitCode, namedService } from "./context.ts";

/** `bundle`: what the image target runs; people run `nx image SERVICE`. */
export async function bundleService(context: Context): Promise<ExitCode> {
  const { workspace, config, print, signal } = context;
  const service = namedService(context);
  // One after the other: reading the code keeps this thread busy, and Nx's workers give up on who doesn't answer for 30 s.
  const hash = await hashService(workspace, service.name);
  const contracts = await describeContracts(workspace, service.root, config.contracts, signal);
  // Both are computed from the same files; if they differ, a deploy key wouldn't tell what is deployed.
  const nx = process.env.NX_TASK_HASH;
  if (nx !== undefined && process.env.NX_TASK_TARGET_TARGET === "image" && nx !== hash.hash) {
    throw new DeployError(
      `Nx runs this as ${nx}, and its hasher says ${hash.hash}. Did a file change meanwhile? Run it again.`,
    );
  }
  await makeImageFolder(workspace, service, hash, contracts, config);
  print(`${imageFolder(service.name)}: ${hash.hash}`);
  return 0;
}

/** @throws DeployError when there is no graph to hash by */
export async function hashService(workspace: string, service: string): Promise<ServiceHash> {
  const { graph, fault } = await loadGraph([service]);
  if (graph === undefined) throw new DeployError(fault);
  const hash = (await hashServices(workspace, graph, [service])).get(service);
  if (hash === undefined) throw new DeployError(`Nx didn't hash ${service}.`);
  return hash;
}
