import type { Migration } from "@kinora/database";

/** The audit log may lose its old end, and nothing of the last 30 days, whoever asks the database; and still nothing is ever changed. */
export const auditAge: Migration = {
  name: "0014_audit_age",
  sql: `
    create function refuse_deletion_of_young() returns trigger language plpgsql as $$
      begin
        if old.time < now() - interval '30 days' then
          return old;
        end if;
        raise exception 'table % is append-only', tg_table_name using errcode = 'restrict_violation';
      end
    $$;
    drop trigger audit_events_append_only on audit_events;
    create trigger audit_events_append_only before update or truncate on audit_events
      for each statement execute function refuse_change();
    create trigger audit_events_keep_young before delete on audit_events
      for each row execute function refuse_deletion_of_young();
  `,
};
