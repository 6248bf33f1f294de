import { fileURLToPath } from "node:url";
import type { Part } from "../harness/benchmark.ts";
import { median } from "../harness/statistics.ts";
import { atMost } from "../harness/target.ts";
import { timedCommand } from "./timed-command.ts";

const workspace = fileURLToPath(new URL("../../../../", import.meta.url));
const mustSeconds = 5;

/** `kinora-deploy plan`, from start to end, when it has run before: what a workflow waits for before it knows what to do. */
export const plan: Part = {
  name: "plan",
  about: "kinora-deploy plan, warm",
  async run({ rounds, signal, show }) {
    const command = ["node", "tools/deploy/bin/kinora-deploy.mjs", "plan", "--json"];
    await timedCommand(workspace, command, signal);
    const seconds: number[] = [];
    for (let round = 0; round < rounds; round++) seconds.push(await timedCommand(workspace, command, signal));
    const middle = median(seconds);
    show({
      title: "The plan of a deploy",
      columns: ["", "median", "slowest"],
      rows: [["kinora-deploy plan, s", middle.toFixed(2), Math.max(...seconds).toFixed(2)]],
    });
    return { targets: [atMost("plan, warm, s", middle, mustSeconds)], results: { planSeconds: seconds } };
  },
};
