import type { Migration } from "@kinora/database";

/** Accounts without a person, and API keys. */
export const keys: Migration = {
  name: "0006_keys",
  sql: `
    create table service_accounts (
      id uuid primary key,
      name text not null unique,
      kind text not null check (kind in ('program', 'service', 'worker')),
      scopes text[] not null,
      create_time timestamptz(3) not null
    );

    create table api_keys (
      id uuid primary key,
      user_id uuid references users on delete cascade,
      service_account_id uuid references service_accounts on delete cascade,
      name text not null,
      prefix text not null,
      secret_hash bytea not null unique,
      scopes text[] not null,
      create_time timestamptz(3) not null,
      expire_time timestamptz(3),
      last_use_time timestamptz(3),
      check (num_nonnulls(user_id, service_account_id) = 1)
    );
    create index api_keys_of_user on api_keys (user_id, create_time);
    create index api_keys_of_service_account on api_keys (service_account_id, create_time);
  `,
};
