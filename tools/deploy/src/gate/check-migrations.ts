import type { Migration } from "../image/migrations.ts";
import type { RecordStore } from "../records/record-store.ts";

/**
 * Whether a version of a service can work with the tables that `ran` has left, and whether what runs now can work with what this version would do to them. Both run side by side for
 * a while, so what is replaced may only go a release after its replacement came. `running` are the steps that the version which runs now knows; after a rollback, more have run.
 * @returns the reasons why not, as sentences
 */
export function faultsOfMigrations(
  service: string,
  candidate: readonly Migration[],
  ran: readonly Migration[],
  running: readonly Migration[] = ran,
): string[] {
  const has = new Set(candidate.map(({ name }) => name));
  const known = new Map(ran.map((migration) => [migration.name, migration]));
  const used = new Set(running.map(({ name }) => name));
  const last =
    ran
      .map(({ name }) => name)
      .sort()
      .at(-1) ?? "";
  const ofCandidate = candidate.flatMap(({ name, checksum, completes }) => {
    const before = known.get(name);
    if (before !== undefined) {
      return before.checksum === checksum
        ? []
        : [`${service}'s migration ${name} was changed after it had run: make the change in a new one.`];
    }
    return [
      ...(name < last
        ? [`${service}'s migration ${name} comes before ${last}, which has run: rename it to come last.`]
        : []),
      ...(completes !== undefined && ran.length > 0 && !used.has(completes)
        ? [
            `${service} would break its own running version: migration ${name} takes away what ${completes} replaces, which that version doesn't know. Deploy ${completes} first.`,
          ]
        : []),
    ];
  });
  const taken = ran
    .filter(({ name, completes }) => completes !== undefined && !has.has(name) && !has.has(completes))
    .map(
      ({ name, completes }) =>
        `${service} would not find its tables: migration ${name} has taken away what this version needs, which doesn't know of ${completes} yet.`,
    );
  return [...ofCandidate, ...taken];
}

/** What an environment's records tell of the migrations of a service; undefined when none does. */
export type RunMigrations = { ran: Migration[]; running: Migration[] | undefined };

/**
 * All migrations that have run on an environment's database: those of every record, because a rollback takes none back. Undefined when no record says.
 * @throws DeployError for a record that is damaged
 */
export function migrationsRun(records: RecordStore, environment: string, service: string): RunMigrations | undefined {
  const lists = records
    .numbers(environment, service)
    .map((number) => records.get(environment, service, number).migrations)
    .filter((list) => list !== undefined && list !== null);
  if (lists.length === 0) return undefined;
  const oldestFirst = lists.reverse().flat();
  return {
    ran: [...new Map(oldestFirst.map((migration) => [migration.name, migration])).values()],
    running: records.current(environment, service)?.migrations ?? undefined,
  };
}
