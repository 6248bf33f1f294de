import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder of its own for one test, removed with everything in it by `remove` or at the end of an `await using` block. */
export async function temporaryFolder(
  name = "kinora-test-",
): Promise<{ path: string; remove(): Promise<void> } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), name));
  const remove = () => rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  return { path, remove, [Symbol.asyncDispose]: remove };
}
