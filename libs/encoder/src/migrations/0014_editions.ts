import type { Migration } from "@kinora/database";

/** An encode that begins anew has other files than before, and other addresses for them: players must never mix the two. */
export const editions: Migration = {
  name: "0014_editions",
  sql: `
    -- Counts the plans whose files people may have seen.
    ALTER TABLE encodes ADD COLUMN edition integer NOT NULL DEFAULT 1;
  `,
};
