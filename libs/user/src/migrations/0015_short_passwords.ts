import type { Migration } from "@kinora/database";

/** Which passwords are too short to be the only factor. Those set before it, and by releases that don't know of it, count as long enough. */
export const shortPasswords: Migration = {
  name: "0015_short_passwords",
  sql: "alter table users add column password_short boolean not null default false",
};
