import type { Migration } from "@kinora/database";

/** What ends every program that reads it isn't tried for ever. */
export const crashes: Migration = {
  name: "0013_crashes",
  sql: `
    -- Counts the leases in which the task's program crashed; they are among its faults as well.
    ALTER TABLE tasks ADD COLUMN crashes integer NOT NULL DEFAULT 0;
  `,
};
