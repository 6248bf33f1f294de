import type { Migration } from "./migration.ts";

/**
 * Whether a service's migrations can run while the release before still works with the tables: what it needs may not go, and what it writes may not be refused. Whatever takes something
 * away comes a release after the code has stopped using it, and says so by `completes` (docs/deploying.md).
 * @returns what is wrong, as sentences
 */
export function faultsOfExpansion(migrations: readonly Migration[]): string[] {
  return migrations.flatMap(({ name, sql, completes }, index) => {
    if (completes === undefined) {
      return contractionsIn(sql).map(
        (what) =>
          `${name} ${what}, which the release before may need. Do that a release later, in a migration with "completes".`,
      );
    }
    const earlier = migrations.slice(0, index).some((migration) => migration.name === completes);
    return earlier ? [] : [`${name} completes ${completes}, which is no earlier migration.`];
  });
}

/** What a migration takes away from code that doesn't know it: "removes the column videos.name". Tables that it makes itself may be changed freely. */
export function contractionsIn(sql: string): string[] {
  const made = new Set<string>();
  const loosened = new Set<string>();
  return statementsOf(sql).flatMap((statement) => {
    const [, table] = /^create (?:unlogged )?table (?:if not exists )?([^\s(]+)/.exec(statement) ?? [];
    if (table !== undefined) made.add(table);
    const [, altered, actions = ""] = /^alter table (?:if exists )?(?:only )?(\S+) (.*)$/.exec(statement) ?? [];
    if (altered === undefined) return contractionsOfStatement(statement, made);
    return made.has(altered)
      ? []
      : atCommas(actions).flatMap((action) => contractionsOfAction(altered, action, loosened));
  });
}

function contractionsOfStatement(statement: string, made: ReadonlySet<string>): string[] {
  const [, kind, dropped = ""] =
    /^drop (table|view|materialized view|sequence|type|domain|function|schema) (?:if exists )?([^\s,(]+)/.exec(
      statement,
    ) ?? [];
  if (kind !== undefined) return made.has(dropped) ? [] : [`removes the ${kind} ${dropped}`];
  const [, emptied] = /^(?:truncate(?: table)?|delete from) (?:only )?(\S+)/.exec(statement) ?? [];
  if (emptied !== undefined) return made.has(emptied) ? [] : [`removes rows of ${emptied}`];
  const [, indexed] = /^create unique index .*?\bon (?:only )?([^\s(]+)/.exec(statement) ?? [];
  return indexed === undefined || made.has(indexed) ? [] : [`refuses rows of ${indexed} by a unique index`];
}

/** Of one action of ALTER TABLE. A constraint may be made anew under its name in the same migration: that is how it is widened. */
function contractionsOfAction(table: string, action: string, loosened: Set<string>): string[] {
  const [, gone] = /^drop constraint (?:if exists )?(\S+)/.exec(action) ?? [];
  if (gone !== undefined) {
    loosened.add(`${table}.${gone}`);
    return [];
  }
  const [, constraint] = /^add constraint (\S+)/.exec(action) ?? [];
  if (constraint !== undefined) {
    return loosened.has(`${table}.${constraint}`) ? [] : [`refuses rows of ${table} by the constraint ${constraint}`];
  }
  if (/^add (check|unique|primary key|foreign key|exclude)\b/.test(action))
    return [`refuses rows of ${table} by a constraint`];
  if (/^rename /.test(action)) return [`renames ${table}, or something of it`];
  const [, removed] = /^drop (?:column )?(?:if exists )?(\S+)/.exec(action) ?? [];
  if (removed !== undefined) return [`removes the column ${table}.${removed}`];
  const [, added, definition = ""] = /^add (?:column )?(?:if not exists )?(\S+) (.*)$/.exec(action) ?? [];
  if (added !== undefined) {
    const refuses = /\bnot null\b|\bprimary key\b/.test(definition) && !/\b(default|generated)\b/.test(definition);
    return refuses ? [`refuses rows without the new column ${table}.${added}`] : [];
  }
  const [, column, change = ""] = /^alter (?:column )?(\S+) (.*)$/.exec(action) ?? [];
  if (/^(set data )?type /.test(change)) return [`changes the type of ${table}.${column}`];
  if (/^set not null/.test(change)) return [`refuses rows without ${table}.${column}`];
  return /^drop default/.test(change) ? [`takes the default of ${table}.${column} away`] : [];
}

/** In lower case, without comments, with one space between words; literals and the bodies of functions are emptied. */
function statementsOf(sql: string): string[] {
  return sql
    .replaceAll(/--[^\n]*/g, " ")
    .replaceAll(/\/\*.*?\*\//gs, " ")
    .replaceAll(/(\$\w*\$).*?\1/gs, "''")
    .replaceAll(/'(?:[^']|'')*'/g, "''")
    .replaceAll('"', "")
    .toLowerCase()
    .split(";")
    .map((statement) => statement.replaceAll(/\s+/g, " ").trim())
    .filter((statement) => statement !== "");
}

/** At those that aren't inside of parentheses. */
function atCommas(text: string): string[] {
  const parts = [""];
  let depth = 0;
  for (const character of text) {
    depth += character === "(" ? 1 : character === ")" ? -1 : 0;
    if (character === "," && depth === 0) parts.push("");
    else parts.push((parts.pop() ?? "") + character);
  }
  return parts.map((part) => part.trim());
}
