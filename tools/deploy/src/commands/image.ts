import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DeployError } from "../deploy-error.ts";
import { isPinned } from "../image/base.ts";
import { readCommit } from "../image/commit.ts";
import { engines } from "../image/engine.ts";
import { imageFolder } from "../image/image-target.ts";
import { readServiceManifest } from "../image/service-manifest.ts";
import { type Context, type ExitCode, namedService } from "./context.ts";

/** `image`: the bundle by Nx, from its cache if it is there, and the container image by an engine. Prints NAME@DIGEST. */
export async function image(context: Context): Promise<ExitCode> {
  const { workspace, config, print, report, signal } = context;
  const { engine = config.image.engine, base = config.image.base, push, tag: given } = context.arguments.values;
  const service = namedService(context);
  if (engine !== "docker" && engine !== "buildah")
    throw new DeployError(`--engine: "${engine}" is neither docker nor buildah.`);
  if (push && !isPinned(base)) {
    throw new DeployError(
      `The base ${base} isn't pinned, so the same commit would give another image on another day. Run kinora-deploy pin-base and commit deploy.json, or name it with --base NAME@sha256:…`,
    );
  }
  await runNx(workspace, service.name, signal, report);
  const manifest = readServiceManifest(workspace, service.name);
  const folder = join(workspace, imageFolder(service.name));
  const tag = given ?? `${service.name}:${manifest.hash}`;
  const digest = await engines[engine]({
    folder,
    base,
    tag,
    labels: {
      "org.opencontainers.image.title": service.name,
      "org.opencontainers.image.revision": readCommit(workspace),
      "org.opencontainers.image.base.name": base.replace(/@.*$/, ""),
      ...(isPinned(base) && { "org.opencontainers.image.base.digest": base.replace(/^.*@/, "") }),
      [`${labelPrefix}.hash`]: manifest.hash,
      [`${labelPrefix}.contract`]: `sha256:${manifest.contract}`,
    },
    push,
    output: folder,
    signal,
    report,
  });
  const name = tag.replace(/:[^:/]*$/, "");
  await writeFile(join(folder, "digest"), `${name}@${digest}\n`);
  print(`${name}@${digest}`);
  return 0;
}

/** Labels that no standard has. */
const labelPrefix = "deploy";

function runNx(workspace: string, service: string, signal: AbortSignal, report: (line: string) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const nx = join(workspace, "node_modules/.bin/nx");
    const child = spawn(nx, ["run", `${service}:image`, "--outputStyle=static"], {
      cwd: workspace,
      stdio: ["ignore", "pipe", "pipe"],
      signal,
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => report(text.trimEnd()));
    }
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve();
      else reject(new DeployError(`The bundle of ${service} couldn't be made; Nx's words are above.`));
    });
  });
}
