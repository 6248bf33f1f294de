import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Contract } from "./contract.ts";

/** To be raised when what we generate beside buf changes its form: what an older version left is made anew then. */
const version = 2;
const generators = ["@bufbuild/buf", "@bufbuild/protoc-gen-es"];

/** A hash of everything that a contract's generated code depends on: the same fingerprint, the same code. */
export function fingerprint(workspace: string, contract: Contract): string {
  const hash = createHash("sha256").update(`${version}\0`);
  for (const path of inputsOf(workspace, contract)) {
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(workspace, path)))
      .update("\0");
  }
  for (const name of generators) {
    const manifest = JSON.parse(readFileSync(join(workspace, "node_modules", name, "package.json"), "utf8"));
    hash.update(`${name}@${manifest.version}\0`);
  }
  return hash.digest("hex");
}

function inputsOf(workspace: string, contract: Contract): string[] {
  const folders = new Set([...contract.folders, ...contract.shared]);
  const protos = [...folders].flatMap((folder) =>
    readdirSync(join(workspace, "proto", folder), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".proto"))
      .map((file) => `proto/${folder}/${file}`),
  );
  return ["proto/buf.yaml", `proto/buf.gen.${contract.name}.yaml`, ...protos].sort();
}
