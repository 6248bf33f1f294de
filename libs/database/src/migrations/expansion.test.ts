import { describe, expect, it } from "vitest";
import { contractionsIn, faultsOfExpansion } from "./expansion.ts";

describe("what a migration takes away", () => {
  it.each([
    ["DROP TABLE videos", "removes the table videos"],
    ["drop view if exists recent", "removes the view recent"],
    ["ALTER TABLE videos DROP COLUMN name", "removes the column videos.name"],
    ["ALTER TABLE videos ADD COLUMN a int, DROP name", "removes the column videos.name"],
    ["ALTER TABLE videos RENAME COLUMN name TO title", "renames videos, or something of it"],
    ["ALTER TABLE videos RENAME TO films", "renames videos, or something of it"],
    ["ALTER TABLE videos ALTER COLUMN size TYPE int", "changes the type of videos.size"],
    ["ALTER TABLE videos ALTER size SET DATA TYPE int", "changes the type of videos.size"],
    ["ALTER TABLE videos ALTER COLUMN name SET NOT NULL", "refuses rows without videos.name"],
    ["ALTER TABLE videos ALTER COLUMN name DROP DEFAULT", "takes the default of videos.name away"],
    ["ALTER TABLE videos ADD COLUMN owner uuid NOT NULL", "refuses rows without the new column videos.owner"],
    ["ALTER TABLE videos ADD CONSTRAINT small CHECK (size < 10)", "refuses rows of videos by the constraint small"],
    ["ALTER TABLE videos ADD UNIQUE (name)", "refuses rows of videos by a constraint"],
    ["CREATE UNIQUE INDEX one ON videos (name)", "refuses rows of videos by a unique index"],
    ["DELETE FROM videos WHERE size = 0", "removes rows of videos"],
    ["TRUNCATE videos", "removes rows of videos"],
    ['/* harmless */ ALTER TABLE "videos" -- really\n DROP COLUMN name', "removes the column videos.name"],
  ])("%s %s", (sql, what) => {
    expect(contractionsIn(sql)).toEqual([what]);
  });

  it.each([
    "CREATE TABLE a (id int PRIMARY KEY); ALTER TABLE a ADD CONSTRAINT c CHECK (id > 0); CREATE UNIQUE INDEX i ON a (id); DROP TABLE a",
    "ALTER TABLE videos ADD COLUMN note text, ADD COLUMN size int NOT NULL DEFAULT 0, ADD COLUMN n int GENERATED ALWAYS AS (size) STORED NOT NULL",
    "ALTER TABLE videos DROP CONSTRAINT c; ALTER TABLE videos ADD CONSTRAINT c CHECK (state IN ('a', 'b', 'c'))",
    "ALTER TABLE videos ALTER COLUMN name DROP NOT NULL, ALTER COLUMN size SET DEFAULT 1",
    "DROP INDEX old; CREATE INDEX new ON videos (name)",
    "INSERT INTO notes VALUES ('DROP TABLE videos; TRUNCATE videos')",
    "CREATE FUNCTION f() RETURNS trigger AS $$ BEGIN DELETE FROM videos; RETURN NEW; END $$ LANGUAGE plpgsql",
  ])("is nothing: %s", (sql) => {
    expect(contractionsIn(sql)).toEqual([]);
  });
});

describe("a service's migrations", () => {
  const made = { name: "0001_titles", sql: "ALTER TABLE videos ADD COLUMN title text" };
  const gone = { name: "0002_names", sql: "ALTER TABLE videos DROP COLUMN name" };

  it("may not take away what the release before needs", () => {
    expect(faultsOfExpansion([made, gone])).toEqual(
      [
        'removes the column videos.name, which the release before may need. Do that a release later, in a migration with "completes".',
      ].map((fault) => `0002_names ${fault}`),
    );
  });

  it("take it away when they say what it completes", () => {
    expect(faultsOfExpansion([made, { ...gone, completes: "0001_titles" }])).toEqual([]);
    expect(faultsOfExpansion([{ ...gone, completes: "0001_titles" }, made])).toEqual([
      "0002_names completes 0001_titles, which is no earlier migration.",
    ]);
  });
});
