import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ProjectGraph } from "@nx/devkit";
import { readNxJson } from "nx/src/config/nx-json";
import { createTaskHasher } from "nx/src/hasher/create-task-hasher";
import { HashPlanInspector } from "nx/src/hasher/hash-plan-inspector";
import { hashTasks } from "nx/src/hasher/hash-task";
import { createTaskGraph } from "nx/src/tasks-runner/create-task-graph";
import { DeployError } from "../deploy-error.ts";

/** What a service's image is made from. */
export type ServiceHash = {
  /** What Nx gives the image task as NX_TASK_HASH. */
  hash: string;
  /** Each input by what it is: "file libs/x/src/a.ts", "package jose", "project lib-x". The values change when the input does. */
  inputs: Record<string, string>;
};

const target = "image";

/** The deploy key of each service, and what it is made of, without running anything. */
export async function hashServices(
  workspace: string,
  graph: ProjectGraph,
  services: readonly string[],
): Promise<Map<string, ServiceHash>> {
  const tasks = createTaskGraph(graph, {}, [...services], [target], undefined, {});
  const images = services.map((service) => {
    const task = tasks.tasks[`${service}:${target}`];
    if (task === undefined) throw new DeployError(`${service} has no ${target} target.`);
    return { service, task };
  });
  const environments = Object.fromEntries(Object.keys(tasks.tasks).map((id) => [id, process.env]));
  const wanted = images.map(({ task }) => task);
  await hashTasks(createTaskHasher(graph, readNxJson()), graph, tasks, environments, null, wanted);
  const inspector = new HashPlanInspector(graph);
  await inspector.init();
  const hashFile = fileHasher(workspace);
  return new Map(
    images.map(({ service, task }) => {
      const id = `${service}:${target}`;
      const listed = inspector.inspectTaskInputs({ project: service, target }, {}, {}, true)[id];
      if (task.hash === undefined || listed === undefined) throw new DeployError(`Nx didn't hash ${id}.`);
      const inputs: [string, string][] = listed.files.map((file) => [`file ${file}`, hashFile(file)]);
      for (const [node, hash] of Object.entries(task.hashDetails?.nodes ?? {})) {
        const named = nameNode(node, hash, graph);
        if (named) inputs.push(named);
      }
      inputs.sort(([a], [b]) => (a < b ? -1 : 1));
      return [service, { hash: task.hash, inputs: Object.fromEntries(inputs) }];
    }),
  );
}

/** Sets of files are told file by file; what is left are packages, configurations of projects and fields of JSON files. */
function nameNode(node: string, hash: string, graph: ProjectGraph): [string, string] | undefined {
  if (node.startsWith("npm:")) {
    const version = graph.externalNodes?.[node as `npm:${string}`]?.data.version;
    return [`package ${node.slice("npm:".length)}`, `${version} ${short(hash)}`];
  }
  const project = /^([^:]+):ProjectConfiguration$/.exec(node)?.[1];
  if (project !== undefined) return [`project ${project}`, short(hash)];
  return undefined;
}

/** Nx's hashes are 64 bits in decimal already; ours are cut to as many. */
const short = (hash: string): string => hash.slice(0, 20);

function fileHasher(workspace: string): (file: string) => string {
  const known = new Map<string, string>();
  return (file) => {
    let hash = known.get(file);
    if (hash === undefined) {
      hash = createHash("sha256")
        .update(readFileSync(join(workspace, file)))
        .digest("hex")
        .slice(0, 16);
      known.set(file, hash);
    }
    return hash;
  };
}
