#!/usr/bin/env node
// Plain JavaScript that an old Node can read: it hands over to the Node that `npm ci` installed, which runs the TypeScript.
import { spawnSync } from "node:child_process";
import { realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(realpathSync(fileURLToPath(import.meta.url)));
const node = join(here, "../../../node_modules/node/bin/node");
const main = join(here, "../src/apply/main.ts");
const { status, error } = spawnSync(node, [main, ...process.argv.slice(2)], { stdio: "inherit" });
if (error) console.error(`kinora-apply could not start ${node}: ${error.message}. Run npm ci first.`);
process.exitCode = status ?? 1;
