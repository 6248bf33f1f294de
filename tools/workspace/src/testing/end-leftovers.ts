/** `node end-leftovers.ts FOLDER` ends every process that still works with this temporary folder, and says which. */
import { endLeftover, findLeftovers } from "./leftovers.ts";

const folder = process.argv[2];
if (!folder?.startsWith("/")) throw new Error("Name the temporary folder.");
for (const leftover of findLeftovers(folder)) {
  console.error(`Ended process ${leftover.pid}: ${leftover.command}`);
  endLeftover(leftover);
}
