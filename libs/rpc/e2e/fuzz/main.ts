/**
 * `npm run fuzz -- [--seconds N] [--seed N] [--fuzzer server|client] [--case N|N-M]`: throws generated and damaged input at a server of ours and at our client, for N seconds in all (60). What
 * it finds is printed with how to see it again. The last line is "N passed, N failed".
 */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { fuzzClient } from "./fuzz-client.ts";
import { fuzzServer } from "./fuzz-server.ts";
import { parseCases } from "./outcome.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    seed: { type: "string", default: String(randomInt(2 ** 31)) },
    fuzzer: { type: "string" },
    case: { type: "string" },
  },
});
const seed = Number(values.seed);
const fuzzers = Object.entries({ server: fuzzServer, client: fuzzClient }).filter(
  ([name]) => values.fuzzer === undefined || values.fuzzer === name,
);
console.log(`seed ${seed}`);
let [passed, failed] = [0, 0];
for (const [name, fuzz] of fuzzers) {
  const only = values.case === undefined ? undefined : parseCases(values.case);
  const { cases, failures } = await fuzz({ seed, seconds: Number(values.seconds) / fuzzers.length, only });
  console.log(`${name}: ${cases} cases, ${failures.length} failures`);
  for (const each of failures) {
    console.log(each);
  }
  failed += failures.length;
  passed += Math.max(0, cases - failures.length);
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = passed > 0 && failed === 0 ? 0 : 1;
