import type { Migration } from "@kinora/database";

/**
 * What each account has stored, its ledger, and limits of single accounts. As with minutes, the database writes the ledger itself, so that no program can forget to.
 */
export const storage: Migration = {
  name: "0013_storage",
  sql: `
    create table storage_items (
      id uuid primary key,
      user_id uuid not null,
      bytes bigint not null check (bytes >= 0),
      state text not null check (state in ('reserved', 'stored', 'released')),
      create_time timestamptz(3) not null,
      -- Of a reservation; afterwards it counts no more.
      expire_time timestamptz(3) not null
    );
    create index storage_items_of_user on storage_items (user_id) where state <> 'released';

    create table storage_ledger (
      id bigint generated always as identity primary key,
      user_id uuid not null,
      item_id uuid not null,
      kind text not null check (kind in ('reserved', 'stored', 'released')),
      -- By how much what is set aside changes, and what is stored.
      reserved_bytes bigint not null,
      stored_bytes bigint not null,
      record_time timestamptz(3) not null
    );
    create index storage_ledger_of_user on storage_ledger (user_id, id);
    create index storage_ledger_in_time on storage_ledger (record_time);

    create function enter_storage() returns trigger language plpgsql as $$
      declare
        reserved bigint := case when new.state = 'reserved' then new.bytes else 0 end;
        stored bigint := case when new.state = 'stored' then new.bytes else 0 end;
      begin
        if tg_op = 'UPDATE' then
          reserved := reserved - case when old.state = 'reserved' then old.bytes else 0 end;
          stored := stored - case when old.state = 'stored' then old.bytes else 0 end;
        end if;
        if reserved <> 0 or stored <> 0 then
          insert into storage_ledger (user_id, item_id, kind, reserved_bytes, stored_bytes, record_time)
            values (new.user_id, new.id, new.state, reserved, stored, now());
        end if;
        return null;
      end
    $$;
    create trigger enter_storage after insert or update on storage_items for each row execute function enter_storage();

    create trigger storage_ledger_append_only before update or delete or truncate on storage_ledger
      for each statement execute function refuse_change();

    -- Limits of one account in place of the installation's; empty for the installation's, 0 for none.
    create table quota_limits (
      user_id uuid primary key,
      milliseconds bigint check (milliseconds >= 0),
      storage_bytes bigint check (storage_bytes >= 0),
      update_time timestamptz(3) not null
    );
  `,
};
