/** `node print-hashes.ts TARGET…` prints what Nx would hash each task of these targets to, as JSON: {"user:typecheck": "123…"}. */
import { createProjectGraphAsync } from "@nx/devkit";
import { readNxJson } from "nx/src/config/nx-json";
import { createTaskHasher } from "nx/src/hasher/create-task-hasher";
import { hashTasks } from "nx/src/hasher/hash-task";
import { createTaskGraph } from "nx/src/tasks-runner/create-task-graph";

const targets = process.argv.slice(2);
const graph = await createProjectGraphAsync({ exitOnError: false });
const projects = Object.values(graph.nodes)
  .filter((node) => targets.some((target) => target in (node.data.targets ?? {})))
  .map((node) => node.name);
const tasks = createTaskGraph(graph, {}, projects, targets, undefined, {});
const environments = Object.fromEntries(Object.keys(tasks.tasks).map((id) => [id, process.env]));
await hashTasks(createTaskHasher(graph, readNxJson()), graph, tasks, environments, null);
console.log(JSON.stringify(Object.fromEntries(Object.values(tasks.tasks).map((task) => [task.id, task.hash]))));
