import type { Migration } from "@kinora/database";

/** What sessions are known by and made of, what a refresh whose answer was lost needs to be repeated, and logins that aren't complete yet. */
export const sessionResources: Migration = {
  name: "0005_sessions",
  sql: `
    alter table sessions add column device text not null default '';
    alter table sessions add column last_address text;
    -- [{"factor": "password", "time": "2026-03-01T00:00:00.000Z"}]; empty for a session of the release before.
    alter table sessions add column checks jsonb not null default '[]';

    -- Of a used token: what its successor was made with, until that is used itself, and which program used it.
    alter table refresh_tokens add column successor_salt bytea;
    alter table refresh_tokens add column use_device text;

    create table pending_sessions (
      token_hash bytea primary key,
      id uuid not null unique,
      user_id uuid not null references users on delete cascade,
      client_address text not null,
      device text not null,
      checks jsonb not null,
      tries int not null,
      expire_time timestamptz(3) not null
    );
    create index pending_sessions_by_end on pending_sessions (expire_time);
    create index pending_sessions_of_user on pending_sessions (user_id);
  `,
};
