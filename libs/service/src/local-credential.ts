import { randomBytes } from "node:crypto";
import { link, mkdir, readFile, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createKeySecret } from "./api-key.ts";
import { StartupError } from "./startup-error.ts";

/** What a local credential is for: `…-key` is an API key, which the user service knows by its file. `service` and `worker` go with release 0.3. */
export type LocalCredential = "service" | "worker" | "signing" | "sealing" | "encoder-key" | "worker-key";

/**
 * The credential that this installation's processes share, from `credentials/<name>` in the data folder; made (32 random bytes, mode 0600) by whoever
 * comes first, whole or not at all.
 */
export async function localCredential(dataDir: string, name: LocalCredential): Promise<string> {
  const folder = join(dataDir, "credentials");
  const path = join(folder, name);
  const existing = await readLocalCredential(dataDir, name);
  if (existing !== undefined) {
    return existing;
  }
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const draft = join(folder, `.${name}-${process.pid}-${randomBytes(6).toString("hex")}`);
  const made = name.endsWith("-key") ? createKeySecret().secret : randomBytes(32).toString("base64url");
  await writeFile(draft, `${made}\n`, { mode: 0o600, flag: "wx" });
  try {
    // Unlike a rename, a link never replaces what another process has put there in the meantime.
    await link(draft, path);
  } catch (error) {
    if (!hasCode(error, "EEXIST")) {
      throw error;
    }
  } finally {
    await unlink(draft);
  }
  const kept = await readLocalCredential(dataDir, name);
  if (kept === undefined) {
    throw new StartupError(`${path} vanished while it was made; start again`);
  }
  return kept;
}

/** The same, if somebody has made it yet. */
export async function readLocalCredential(dataDir: string, name: LocalCredential): Promise<string | undefined> {
  const path = join(dataDir, "credentials", name);
  let text: string;
  try {
    text = (await readFile(path, "utf8")).trim();
  } catch (error) {
    if (hasCode(error, "ENOENT")) {
      return undefined;
    }
    throw error;
  }
  if (!/^[\x21-\x7e]{16,1000}$/.test(text)) {
    throw new StartupError(`${path} doesn't hold a credential: delete it, then start all of Kinora's processes again`);
  }
  return text;
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
