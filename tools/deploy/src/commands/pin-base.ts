import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DeployError } from "../deploy-error.ts";
import { digestInRegistry, isPinned } from "../image/base.ts";
import type { Context, ExitCode } from "./context.ts";

/** `pin-base`: asks the registry which image the base's tag names now, and writes its digest into deploy.json; or, with --base, of another one. */
export async function pinBase(context: Context): Promise<ExitCode> {
  const { workspace, config, print, report, signal } = context;
  const { engine = config.image.engine, base = config.image.base } = context.arguments.values;
  const name = base.replace(/@.*$/, "");
  const digest = await digestInRegistry(engine, name, signal, report);
  const pinned = `${name}@${digest}`;
  if (!isPinned(pinned))
    throw new DeployError(`${engine} says that the digest of ${name} is "${digest}", which is none.`);
  const file = join(workspace, "deploy.json");
  const text = readFileSync(file, "utf8");
  const former = JSON.stringify(config.image.base);
  if (!text.includes(former)) throw new DeployError(`deploy.json names no image.base to be replaced by ${pinned}.`);
  writeFileSync(file, text.replace(former, JSON.stringify(pinned)));
  print(pinned);
  return 0;
}
