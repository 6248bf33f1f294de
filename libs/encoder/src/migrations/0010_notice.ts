import type { Migration } from "@kinora/database";

/** What people are to know of an encode that goes on. */
export const notice: Migration = {
  name: "0010_notice",
  sql: "ALTER TABLE encodes ADD COLUMN notice text NOT NULL DEFAULT ''",
};
