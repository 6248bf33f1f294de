import type { Migration } from "@kinora/database";

/** Confirmed and disabled accounts, second factors, codes by e-mail, the audit log. New columns may be empty: the release before still writes rows. */
export const accounts: Migration = {
  name: "0010_accounts",
  sql: `
    alter table users add column email_verify_time timestamptz(3);
    alter table users add column disable_time timestamptz(3);

    -- Several people may own an installation; that one is left is minded in policy.ts, under a lock.
    drop index users_one_owner;
    create index users_owners on users (id) where role = 'owner';

    create table totp_factors (
      user_id uuid primary key references users on delete cascade,
      -- Of the app that is on; empty until the first one was confirmed.
      secret bytea,
      confirm_time timestamptz(3),
      -- The last time step that a code was taken for (RFC 6238, 5.2): codes up to it are used.
      last_step bigint not null default 0,
      -- Of an app that waits for its confirmation.
      pending_secret bytea
    );

    create table recovery_codes (
      code_hash bytea primary key,
      user_id uuid not null references users on delete cascade
    );
    create index recovery_codes_of_user on recovery_codes (user_id);

    create table passkeys (
      id uuid primary key,
      user_id uuid not null references users on delete cascade,
      credential_id text not null unique,
      public_key bytea not null,
      signature_count bigint not null,
      transports text[] not null,
      synced boolean not null,
      name text not null,
      create_time timestamptz(3) not null,
      last_use_time timestamptz(3)
    );
    create index passkeys_of_user on passkeys (user_id, create_time);

    create table passkey_challenges (
      id uuid primary key,
      purpose text not null check (purpose in ('register', 'login')),
      user_id uuid references users on delete cascade,
      challenge text not null,
      expire_time timestamptz(3) not null
    );
    create index passkey_challenges_by_end on passkey_challenges (expire_time);

    create table email_codes (
      id uuid primary key,
      purpose text not null check (purpose in ('sign_up', 'verify_email', 'reset_password', 'change_email', 'invitation')),
      -- Whose code it is; empty where there is no account (yet).
      user_id uuid references users on delete cascade,
      email text not null,
      email_key text not null,
      -- False for codes that are never made, so that asking for one says nothing of the address.
      genuine boolean not null,
      details jsonb not null,
      -- Empty until the code is sent: it is made then.
      code_hash text,
      guesses int not null default 0,
      create_time timestamptz(3) not null,
      expire_time timestamptz(3) not null
    );
    create index email_codes_by_end on email_codes (expire_time);
    create unique index invitations_by_email on email_codes (email_key) where purpose = 'invitation';

    -- No reference to users: what happened stays on record when the account is gone.
    create table audit_events (
      id bigint generated always as identity primary key,
      time timestamptz(3) not null,
      type text not null,
      user_id uuid,
      actor_id uuid,
      address text not null,
      device text not null,
      details jsonb not null
    );
    create index audit_events_of_user on audit_events (user_id, id);
    create trigger audit_events_append_only before update or delete or truncate on audit_events
      for each statement execute function refuse_change();
  `,
};
