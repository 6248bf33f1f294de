import { mkdir, readFile, rename, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * Writes `run/<name>.json` (`{"url", "pid"}`) into the data folder, where programs on this machine look for the running service. The answer removes it again, unless
 * another process has announced itself since.
 */
export async function announce(dataDir: string, name: "user" | "encoder", url: string): Promise<() => Promise<void>> {
  const folder = join(dataDir, "run");
  const path = join(folder, `${name}.json`);
  const draft = `${path}.${process.pid}`;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const text = `${JSON.stringify({ url, pid: process.pid })}\n`;
  await writeFile(draft, text, { mode: 0o600 });
  await rename(draft, path);
  return async () => {
    const present = await readFile(path, "utf8").catch(() => undefined);
    if (present === text) {
      await unlink(path).catch(() => {});
    }
  };
}
