import { DeployError } from "../deploy-error.ts";
import { hashServices, type ServiceHash } from "../hash/hash-services.ts";
import { loadGraph } from "../hash/load-graph.ts";
import { hashSettings } from "../hash/settings.ts";
import { type Known, makePlan } from "../plan/plan.ts";
import { describePlan } from "../plan/table.ts";
import { findServices } from "../workspace/services.ts";
import type { Context, ExitCode } from "./context.ts";

/** `plan`: what is due in an environment. */
export async function plan(context: Context): Promise<ExitCode> {
  const { workspace, records, print } = context;
  const { env, json } = context.arguments.values;
  const services = findServices(workspace);
  if (services.length === 0) throw new DeployError('There are no services: no package.json has a "deploy" key.');
  const { hashes, fault } = await tryHashing(
    workspace,
    services.map(({ name }) => name),
  );
  const candidates = services.map(({ name, root }) => ({
    service: name,
    settings: hashSettings(workspace, root, env),
    ...hashes.get(name),
  }));
  const result = makePlan(env, candidates, (service) => knownOf(records, env, service), fault);
  print(json ? JSON.stringify(result) : describePlan(result));
  return 0;
}

/** Whatever goes wrong here means that everything is due. */
async function tryHashing(
  workspace: string,
  services: string[],
): Promise<{ hashes: Map<string, ServiceHash>; fault?: string }> {
  const { graph, fault } = await loadGraph(services);
  if (graph === undefined) return { hashes: new Map(), fault };
  try {
    return { hashes: await hashServices(workspace, graph, services) };
  } catch (error) {
    return { hashes: new Map(), fault: `Nx can't hash the images: ${(error as Error).message}` };
  }
}

function knownOf(records: Context["records"], environment: string, service: string): Known {
  try {
    const record = records.current(environment, service);
    return record ? { state: "recorded", ...record } : { state: "none" };
  } catch (error) {
    if (!(error instanceof DeployError)) throw error;
    return { state: "unreadable", fault: error.message };
  }
}
