import { execFileSync } from "node:child_process";
import { appendFileSync, cpSync, existsSync, mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Part } from "../harness/benchmark.ts";
import { median } from "../harness/statistics.ts";
import { atMost } from "../harness/target.ts";
import { timedCommand } from "./timed-command.ts";

const workspace = fileURLToPath(new URL("../../../../", import.meta.url));
const mustShare = 0.4;

/** What CI builds and checks of a change, without the suites: those of everything take longer than anybody waits for a benchmark, and would only make the share smaller. */
const targets = ["generate", "typecheck", "lint", "image"];

/** A change of one service's code against everything, both without any cache: the difference is what Nx knows to leave alone. */
export const oneService: Part = {
  name: "one-service",
  about: "nx affected for a change of the user service's code, against everything; no cache",
  async run({ rounds, quick, signal, note, show }) {
    const root = cloneWithChange("libs/user/src/index.ts");
    try {
      const wanted = (quick ? ["lint"] : targets).join(",");
      const options = [`--targets=${wanted}`, "--skip-nx-cache", "--outputStyle=static"];
      const everything: number[] = [];
      const one: number[] = [];
      for (let round = 0; round < Math.min(rounds, 2); round++) {
        note(`round ${round + 1}: everything, then one service's change`);
        everything.push(await timedCommand(root, ["nx", "run-many", ...options], signal));
        one.push(await timedCommand(root, ["nx", "affected", "--base=HEAD~1", "--head=HEAD", ...options], signal));
      }
      const share = median(one) / median(everything);
      show({
        title: `A change through CI: ${wanted}`,
        columns: ["", "s", "share"],
        rows: [
          ["everything", median(everything).toFixed(1), "1"],
          ["one service's change", median(one).toFixed(1), share.toFixed(2)],
        ],
      });
      return {
        targets: [atMost("one service's change, share of everything", share, mustShare)],
        results: { everythingSeconds: everything, oneServiceSeconds: one },
      };
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  },
};

/** A clone of the last commit with one more, that changes a file. Packages are hard links where that is possible. */
function cloneWithChange(file: string): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "bench-delivery-")));
  const git = (...args: string[]): void => void execFileSync("git", args, { cwd: root, stdio: "ignore" });
  execFileSync("git", ["clone", "--quiet", "--no-hardlinks", workspace, root], { stdio: "ignore" });
  const modules = [join(workspace, "node_modules"), join(root, "node_modules")];
  try {
    execFileSync("cp", ["-al", ...modules], { stdio: "ignore" });
  } catch {
    rmSync(join(root, "node_modules"), { recursive: true, force: true });
    execFileSync("cp", ["-a", ...modules]);
  }
  for (const name of readdirSync(join(workspace, "libs/proto"))) {
    const generated = `libs/proto/${name}/gen`;
    if (existsSync(join(workspace, generated)))
      cpSync(join(workspace, generated), join(root, generated), { recursive: true });
  }
  appendFileSync(join(root, file), "// A remark.\n");
  git("-c", "user.name=bench", "-c", "user.email=bench@localhost", "commit", "-qam", "A change of one service");
  return root;
}
