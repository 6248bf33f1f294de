import { spawnSync } from "node:child_process";
import { join } from "node:path";
import {
  createFileRegistry,
  type DescExtension,
  type DescMethod,
  type FileRegistry,
  fromBinary,
  getExtension,
  hasExtension,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import type { Contract } from "./contract.ts";

// The same rules as the server's gate has (libs/rpc/src/call/access.ts), which refuses to start: here they refuse to build.

const unspecified = 0;
const isPublic = 1;
const scopeForm = /^[a-z][a-z_]*:[a-z][a-z_]*$/;
/** Contracts that others named can't carry our options. */
const others = /^(buf|grpc|google)\./;

/** What a method states about its callers: the options of `proto/kinora/access`, as they stand there. */
export type Statement = { method: DescMethod; access: number; scope: string; role: number; resource: string };

/**
 * What every method of a contract states about its callers.
 * @throws with buf's own words when the contract can't be read
 */
export function readStatements(workspace: string, contract: Contract): Statement[] {
  const files = createFileRegistry(fromBinary(FileDescriptorSetSchema, build(workspace, contract)));
  const options = { access: extension(files, "access"), requires: extension(files, "requires") };
  return [...files.files]
    .filter(({ name, proto }) => isOwn(contract, name) && !others.test(`${proto.package}.`))
    .flatMap(({ services }) => services)
    .flatMap(({ methods }) => methods)
    .map((method) => statementOf(method, options));
}

/** Every method that doesn't say who may call it, as a sentence. */
export function accessFaults(statements: readonly Statement[]): string[] {
  return statements.flatMap((statement) => {
    const { method } = statement;
    const fault = faultOf(statement);
    const where = `${method.parent.typeName}.${method.name} (proto/${method.parent.file.name}.proto)`;
    return fault === undefined ? [] : [`${where} ${fault}`];
  });
}

function build(workspace: string, { folders, shared }: Contract): Buffer {
  const paths = new Set([...folders, ...shared]);
  const run = spawnSync(
    join(workspace, "node_modules/.bin/buf"),
    ["build", "-o", "-", ...[...paths].flatMap((path) => ["--path", path])],
    { cwd: join(workspace, "proto"), timeout: 120_000, maxBuffer: 64 * 1024 * 1024 },
  );
  if (run.error) throw new Error(`buf can't be run (${run.error.message}). Run npm ci first.`);
  if (run.status !== 0) throw new Error(`buf build failed.\n${run.stderr}`);
  return run.stdout;
}

function extension(files: FileRegistry, name: string): DescExtension {
  const found = files.getExtension(`kinora.access.v1.${name}`);
  if (found === undefined) throw new Error(`proto/kinora/access has no option "${name}".`);
  return found;
}

function isOwn({ folders }: Contract, file: string): boolean {
  return folders.some((folder) => file.startsWith(`${folder}/`));
}

function statementOf(method: DescMethod, options: { access: DescExtension; requires: DescExtension }): Statement {
  const stated = method.proto.options;
  const access = stated && hasExtension(stated, options.access) ? getExtension(stated, options.access) : unspecified;
  const requires =
    stated && hasExtension(stated, options.requires)
      ? getExtension(stated, options.requires)
      : { scope: "", role: 0, resource: "" };
  const { scope, role, resource } = requires as Omit<Statement, "method" | "access">;
  return { method, access: Number(access), scope, role, resource };
}

function faultOf({ method, access, scope, role, resource }: Statement): string | undefined {
  if (access === unspecified) {
    return 'doesn\'t state who may call it: add "option (kinora.access.v1.access) = …;".';
  }
  if (access === isPublic) {
    return scope === "" && resource === "" && role === 0 ? undefined : "is for everybody, and yet requires something.";
  }
  if (!scopeForm.test(scope)) {
    return 'doesn\'t state a scope such as videos:read: add "option (kinora.access.v1.requires).scope = …;".';
  }
  const [field] = resource.split(".");
  if (resource !== "" && !method.input.fields.some(({ name }) => name === field)) {
    return `names the resource ${resource}, which isn't a field of its request.`;
  }
  return undefined;
}
