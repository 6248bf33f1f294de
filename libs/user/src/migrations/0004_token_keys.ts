import type { Migration } from "@kinora/database";

/** Signing keys with their times, their private parts sealed. `signing_keys`, in plain, stays for the release before, until it is empty. */
export const tokenKeys: Migration = {
  name: "0004_token_keys",
  sql: `
    create table token_keys (
      kid text primary key,
      x text not null,
      sealed_private_key bytea not null,
      create_time timestamptz(3) not null,
      activate_time timestamptz(3) not null,
      retire_time timestamptz(3) not null
    );
  `,
};
