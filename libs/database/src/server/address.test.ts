import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DatabaseError } from "../database-error.ts";
import { describeAddress, parseDatabaseUrl, withDatabase } from "./address.ts";

describe("parseDatabaseUrl", () => {
  it.each([
    ["postgres://kinora:secret@db.example:6543/video", "db.example:6543", "kinora", "video"],
    ["postgresql://kinora@db/video?sslmode=require", "db:5432", "kinora", "video"],
    ["postgres://kinora@db", "db:5432", "kinora", "kinora"],
    ["postgres://kinora:secret@/video?host=/run/postgresql", "/run/postgresql (port 5432)", "kinora", "video"],
    ["postgres:///video?host=/run/postgresql&user=kinora", "/run/postgresql (port 5432)", "kinora", "video"],
    ["postgres://%2Frun%2Fpostgresql/video", "/run/postgresql (port 5432)", "", "video"],
    ["postgres://[::1]:5432/video", "[::1]:5432", "", "video"],
  ])("%s", (url, server, user, database) => {
    expect(describeAddress(parseDatabaseUrl(url))).toEqual({ server, user, database });
  });

  it.each([
    "",
    "secret",
    "mysql://root:secret@db/video",
    "http://secret",
    "postgres://db:secret:1/x",
    "//secret",
    "postgres://u:secret%@db/x",
  ])("refuses %j without showing it", (url) => {
    expect(() => parseDatabaseUrl(url)).toThrow(/^DATABASE_URL isn't the address of a Postgres database\./);
    expect(() => parseDatabaseUrl(url)).not.toThrow(/secret/);
  });

  it("throws nothing but that, whatever it is given", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.webUrl(),
          fc.string().map((rest) => `postgres://${rest}`),
        ),
        (text) => {
          try {
            describeAddress(parseDatabaseUrl(text));
          } catch (error) {
            if (!(error instanceof DatabaseError)) throw error;
          }
        },
      ),
    );
  });
});

it("changes only the database", () => {
  const url = parseDatabaseUrl("postgres://kinora:se%40cret@db:6543/video?sslmode=require");
  expect(withDatabase(url, "video_user").href).toBe("postgres://kinora:se%40cret@db:6543/video_user?sslmode=require");
});
