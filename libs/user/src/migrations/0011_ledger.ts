import type { Migration } from "@kinora/database";

/**
 * The ledger of quota: an entry for each time that seconds are set aside, used or given back. The database writes it itself, so that no program can forget to, also not
 * the release before, which runs beside this one during an upgrade.
 */
export const ledger: Migration = {
  name: "0011_ledger",
  sql: `
    create table quota_ledger (
      id bigint generated always as identity primary key,
      user_id uuid not null,
      reservation_id uuid not null,
      kind text not null check (kind in ('reserved', 'settled', 'released')),
      -- By how much what is set aside changes, and what is used.
      reserved_milliseconds bigint not null,
      used_milliseconds bigint not null,
      record_time timestamptz(3) not null
    );
    create index quota_ledger_of_user on quota_ledger (user_id, id);
    create index quota_ledger_in_time on quota_ledger (record_time);

    insert into quota_ledger (user_id, reservation_id, kind, reserved_milliseconds, used_milliseconds, record_time)
      select user_id, id, 'reserved', milliseconds, 0, create_time from quota_reservations
      union all
      select user_id, id, 'released', -milliseconds, 0, now() from quota_reservations where state = 'released'
      union all
      select used.user_id, used.reservation_id, 'settled', -reserved.milliseconds, used.milliseconds, record_time
        from usage_ledger used join quota_reservations reserved on reserved.id = used.reservation_id;

    create function enter_reservation() returns trigger language plpgsql as $$
      begin
        if tg_op = 'INSERT' then
          insert into quota_ledger (user_id, reservation_id, kind, reserved_milliseconds, used_milliseconds, record_time)
            values (new.user_id, new.id, 'reserved', new.milliseconds, 0, new.create_time);
        elsif new.state = 'reserved' and new.milliseconds <> old.milliseconds then
          insert into quota_ledger (user_id, reservation_id, kind, reserved_milliseconds, used_milliseconds, record_time)
            values (new.user_id, new.id, 'reserved', new.milliseconds - old.milliseconds, 0, now());
        elsif new.state = 'released' and old.state = 'reserved' then
          insert into quota_ledger (user_id, reservation_id, kind, reserved_milliseconds, used_milliseconds, record_time)
            values (new.user_id, new.id, 'released', -old.milliseconds, 0, now());
        end if;
        return null;
      end
    $$;
    create trigger enter_reservation after insert or update on quota_reservations
      for each row execute function enter_reservation();

    create function enter_usage() returns trigger language plpgsql as $$
      begin
        insert into quota_ledger (user_id, reservation_id, kind, reserved_milliseconds, used_milliseconds, record_time)
          select new.user_id, new.reservation_id, 'settled', -milliseconds, new.milliseconds, new.record_time
          from quota_reservations where id = new.reservation_id;
        return null;
      end
    $$;
    create trigger enter_usage after insert on usage_ledger for each row execute function enter_usage();

    create trigger quota_ledger_append_only before update or delete or truncate on quota_ledger
      for each statement execute function refuse_change();
  `,
};
