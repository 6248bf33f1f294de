import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** One service's contract, and the library that is generated from it. */
export type Contract = {
  /** "user" for proto/user and libs/proto/user. */
  name: string;
  /** Folders below proto/ that hold this contract. */
  folders: string[];
  /** Folders below proto/ that any contract may import. */
  shared: string[];
};

/** Every contract in the workspace: there is one for each template. */
export function contractsIn(workspace: string): Contract[] {
  return readdirSync(join(workspace, "proto"))
    .map((file) => /^buf\.gen\.(.+)\.yaml$/.exec(file)?.[1])
    .filter((name) => name !== undefined)
    .sort()
    .map((name) => readContract(workspace, name));
}

/** @throws when proto/ has no template for `name` */
export function readContract(workspace: string, name: string): Contract {
  return { name, folders: foldersOf(workspace, name), shared: foldersOf(workspace, "common") };
}

/** Which folders a contract has is said once, in its template: `paths: [a, b]`. */
function foldersOf(workspace: string, name: string): string[] {
  const path = `proto/buf.gen.${name}.yaml`;
  const list = /^ +paths: \[([^\]]+)\]$/m.exec(readFileSync(join(workspace, path), "utf8"))?.[1];
  if (list === undefined) throw new Error(`${path} must name its folders on one line: "paths: [a, b]".`);
  return list.split(",").map((folder) => folder.trim());
}
