/** `node record-all.ts [ENV]`, in a workspace: records every service as it is now, as if it had been deployed. */
import { hashServices } from "../../src/hash/hash-services.ts";
import { loadGraph } from "../../src/hash/load-graph.ts";
import { hashSettings } from "../../src/hash/settings.ts";
import { openRecordStore } from "../../src/records/record-store.ts";
import { findServices } from "../../src/workspace/services.ts";

const [environment = "production"] = process.argv.slice(2);
const workspace = process.cwd();
const services = findServices(workspace);
const names = services.map(({ name }) => name);
const { graph, fault } = await loadGraph(names);
if (graph === undefined) throw new Error(fault);
const hashes = await hashServices(workspace, graph, names);
const records = openRecordStore(`${workspace}/deployments`);
for (const { name, root } of services) {
  const hash = hashes.get(name);
  if (hash === undefined) throw new Error(name);
  const [after = 0] = records.numbers(environment, name);
  records.append(
    {
      schema: 1,
      service: name,
      environment,
      recordedAt: new Date().toISOString(),
      ...hash,
      commit: "0".repeat(40),
      image: `${name}@sha256:${"0".repeat(64)}`,
      provides: null,
      calls: [],
      settings: hashSettings(workspace, root, environment),
      rollbackTo: null,
    },
    after,
  );
}
process.exit();
