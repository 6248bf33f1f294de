import { withConnection } from "../connection.ts";
import { DatabaseError } from "../database-error.ts";

const wrongPassword = "28P01";

/**
 * Rejects while the server at `url` doesn't take connections; with a DatabaseError when its password isn't the one in
 * `passwordFile`, which waiting won't change.
 */
export async function probe(url: string, passwordFile: string, signal?: AbortSignal): Promise<void> {
  try {
    await withConnection({ connectionString: url }, signal, async () => {});
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === wrongPassword) {
      throw new DatabaseError(
        `The password in ${passwordFile} isn't the database's. Put back the file that belongs to it.`,
        { cause: error },
      );
    }
    throw error;
  }
}
