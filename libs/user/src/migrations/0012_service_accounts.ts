import type { Migration } from "@kinora/database";

/** Service accounts that are disabled for a while. Empty stands for enabled: the release before writes no such column. */
export const disabledServiceAccounts: Migration = {
  name: "0012_service_accounts",
  sql: "alter table service_accounts add column disable_time timestamptz(3);",
};
