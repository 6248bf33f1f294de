#!/usr/bin/env node
// Plain JavaScript, because an old Node has to be able to read it to say so.
if (Number(process.versions.node.split(".")[0]) < 24) {
  process.stderr.write(
    `kinora-deploy needs Node 24 or newer, and this is ${process.version}: run "npm ci", then "npx kinora-deploy".\n`,
  );
  process.exit(2);
}
await import("../src/main.ts");
