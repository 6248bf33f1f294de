import type { Migration } from "@kinora/database";
import { tokenKeys } from "./migrations/0004_token_keys.ts";
import { sessionResources } from "./migrations/0005_sessions.ts";
import { keys } from "./migrations/0006_keys.ts";
import { accounts } from "./migrations/0010_accounts.ts";
import { ledger } from "./migrations/0011_ledger.ts";
import { disabledServiceAccounts } from "./migrations/0012_service_accounts.ts";
import { storage } from "./migrations/0013_storage.ts";
import { auditAge } from "./migrations/0014_audit_age.ts";
import { shortPasswords } from "./migrations/0015_short_passwords.ts";

// Times are kept to the millisecond, as JavaScript has them, so that a time read and passed back compares equal.

/** The schema of the user service. Never change a migration that has been released: add one. */
export const userMigrations: readonly Migration[] = [
  {
    name: "0001_users",
    sql: `
      create table users (
        id uuid primary key,
        email text not null,
        email_key text not null unique,
        name text not null,
        birth_date date,
        password_hash text not null,
        role text not null check (role in ('member', 'admin', 'owner')),
        create_time timestamptz(3) not null,
        update_time timestamptz(3) not null
      );
      create unique index users_one_owner on users (role) where role = 'owner';
      create index users_in_order on users (create_time, id);

      create table deleted_users (
        id uuid primary key,
        delete_time timestamptz(3) not null
      );
    `,
  },
  {
    name: "0002_sessions",
    sql: `
      create table signing_keys (
        kid text primary key,
        private_jwk jsonb not null,
        create_time timestamptz(3) not null
      );

      create table sessions (
        id uuid primary key,
        user_id uuid not null references users on delete cascade,
        client_address text not null,
        create_time timestamptz(3) not null,
        refresh_time timestamptz(3) not null,
        idle_expire_time timestamptz(3) not null,
        expire_time timestamptz(3) not null
      );
      create index sessions_of_user on sessions (user_id, refresh_time);
      create index sessions_by_end on sessions (idle_expire_time);

      create table refresh_tokens (
        token_hash bytea primary key,
        session_id uuid not null references sessions on delete cascade,
        create_time timestamptz(3) not null,
        use_time timestamptz(3)
      );
      create index refresh_tokens_of_session on refresh_tokens (session_id, create_time);

      create table login_attempts (
        key text primary key,
        attempts int not null,
        window_end timestamptz(3) not null
      );
      create index login_attempts_by_end on login_attempts (window_end);
    `,
  },
  {
    name: "0003_quota",
    sql: `
      create table quota_reservations (
        id uuid primary key,
        user_id uuid not null,
        milliseconds bigint not null check (milliseconds >= 0),
        state text not null check (state in ('reserved', 'settled', 'released')),
        create_time timestamptz(3) not null,
        expire_time timestamptz(3) not null
      );
      create index quota_reservations_open on quota_reservations (user_id, expire_time) where state = 'reserved';

      -- No reference to users: what was used stays on record when the account is gone.
      create table usage_ledger (
        id bigint generated always as identity primary key,
        user_id uuid not null,
        reservation_id uuid not null unique,
        milliseconds bigint not null check (milliseconds >= 0),
        record_time timestamptz(3) not null
      );
      create index usage_ledger_of_user on usage_ledger (user_id, record_time);

      create function refuse_change() returns trigger language plpgsql as $$
        begin
          raise exception 'table % is append-only', tg_table_name using errcode = 'restrict_violation';
        end
      $$;
      create trigger usage_ledger_append_only before update or delete or truncate on usage_ledger
        for each statement execute function refuse_change();
    `,
  },
  tokenKeys,
  sessionResources,
  keys,
  accounts,
  ledger,
  disabledServiceAccounts,
  storage,
  auditAge,
  shortPasswords,
];
