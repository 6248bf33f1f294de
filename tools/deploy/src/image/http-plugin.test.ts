import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, it } from "vitest";
import { httpPlugin } from "./http-plugin.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "kinora-http-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function bundled(source: string): Promise<string> {
  const entry = join(folder, "in.js");
  const outfile = join(folder, "out.mjs");
  await writeFile(entry, source);
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    logLevel: "silent",
    plugins: [httpPlugin()],
  });
  return outfile;
}

it("a bundle that serves HTTP has Node's own module, and doesn't load Node's fetch client", async () => {
  const program = await bundled(`
    import http, { createServer } from "node:http";
    import * as all from "http";
    const loaded = process.moduleLoadList.filter((name) => name.includes("undici/undici"));
    console.log(JSON.stringify([loaded, createServer === http.createServer, all.STATUS_CODES[404]]));`);
  expect(JSON.parse(execFileSync(process.execPath, [program], { encoding: "utf8" }))).toEqual([[], true, "Not Found"]);
});

it("what would load it can't be imported unnoticed", async () => {
  await expect(bundled('import { WebSocket } from "node:http"; console.log(WebSocket);')).rejects.toThrow("WebSocket");
});
