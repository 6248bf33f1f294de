/** `node tools/workspace/src/contracts/run.mjs [NAME…]` generates the libraries of these contracts, or of all. */
import { fileURLToPath } from "node:url";
import { contractsIn, readContract } from "./contract.ts";
import { generate } from "./generate.ts";

const workspace = fileURLToPath(new URL("../../../../", import.meta.url));
const names = process.argv.slice(2);

try {
  const contracts = names.length > 0 ? names.map((name) => readContract(workspace, name)) : contractsIn(workspace);
  for (const contract of contracts) {
    if (await generate(workspace, contract)) console.log(`Generated libs/proto/${contract.name}/gen.`);
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
