/** `npm run lock`: adds the platform packages to package-lock.json that `npm install` left out. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Lockfile, missingPlatformPackages } from "./platform-packages.ts";

const path = fileURLToPath(new URL("../../../../package-lock.json", import.meta.url));
const lock: Lockfile = JSON.parse(readFileSync(path, "utf8"));
const missing = missingPlatformPackages(lock);
const packages = Object.entries({ ...lock.packages, ...missing }).sort(([a], [b]) => a.localeCompare(b, "en"));
writeFileSync(path, `${JSON.stringify({ ...lock, packages: Object.fromEntries(packages) }, null, 2)}\n`);
for (const name of Object.keys(missing)) console.log(`Locked ${name}.`);
