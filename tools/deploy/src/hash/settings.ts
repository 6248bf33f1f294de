import { createHash } from "node:crypto";
import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/**
 * A service's `deploy/` folder: how it runs in an environment, beside what it is. It is no part of the image, but a change of it has to go out.
 * Where `deploy/ENV` exists, that is all that concerns ENV.
 */
export function hashSettings(workspace: string, root: string, environment: string): Record<string, string> {
  const own = `${root}/deploy/${environment}`;
  const folder = existsSync(join(workspace, own)) ? own : `${root}/deploy`;
  if (!existsSync(join(workspace, folder))) return {};
  const files = globSync("**/*", { cwd: join(workspace, folder) })
    .map((file) => `${folder}/${file.replaceAll("\\", "/")}`)
    .filter((file) => !file.endsWith(".test.ts") && statSync(join(workspace, file)).isFile())
    .sort();
  return Object.fromEntries(
    files.map((file) => {
      const hash = createHash("sha256")
        .update(readFileSync(join(workspace, file)))
        .digest("hex");
      return [`setting ${file}`, hash.slice(0, 16)];
    }),
  );
}
