import type { Migration } from "@kinora/database";

/** Who should rather not have a task, and whose chunks had another codec configuration than their encode's. */
export const elsewhere: Migration = {
  name: "0009_elsewhere",
  sql: `
    ALTER TABLE tasks
      -- The worker at whose hands it failed, and until when it waits for another one.
      ADD COLUMN avoided_worker text,
      ADD COLUMN avoided_until timestamptz;

    ALTER TABLE encodes
      -- Configurations that were refused, and who came with them: [{inits, workers}].
      ADD COLUMN init_dissents jsonb NOT NULL DEFAULT '[]';
  `,
};
