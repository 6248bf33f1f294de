/**
 * One step of a schema. Runs once, in a transaction of its own, with the service's schema as search path, so its SQL
 * names tables without a prefix. Never change one that has been released: add another.
 */
export type Migration = {
  /** Four digits, then words: `0001_users`. Migrations run in this order. */
  name: string;
  /** One or more statements, separated by semicolons. */
  sql: string;
  /**
   * Only for a migration that takes something away: the earlier one that made its replacement. Both may not come in one release, as the one before still uses what goes
   * (expansion.ts, and `npm run upgrade-test`).
   */
  completes?: string;
};
