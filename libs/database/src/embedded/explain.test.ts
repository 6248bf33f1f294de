import { describe, expect, it } from "vitest";
import { DatabaseError } from "../database-error.ts";
import { asDatabaseError, explain } from "./explain.ts";

describe("explain", () => {
  // What Postgres 18 and Node write.
  it.each([
    ['FATAL:  could not write lock file "postmaster.pid": No space left on device', "The disk that holds /k is full."],
    ["initdb: error: could not write file: No space left on device", "The disk that holds /k is full."],
    ["ENOSPC: no space left on device, write", "The disk that holds /k is full."],
    ["53100 could not extend file: Disk quota exceeded", "The disk that holds /k is full."],
    ["initdb: error: could not look up effective user ID 4242: user does not exist", "user 4242 isn't in /etc/passwd"],
    ["FATAL:  pre-existing shared memory block (key 1, ID 2) is still in use", "Another Postgres"],
    ["FATAL:  could not map anonymous shared memory: Cannot allocate memory", "shared memory"],
    ['FATAL:  could not resize shared memory segment "/PostgreSQL.1" to 2 bytes', "--shm-size"],
    ["DETAIL:  The data directory was initialized by PostgreSQL version 17, which…", "was made by Postgres 17"],
    ['FATAL:  could not create Unix socket for address "/k/.s.PGSQL.5432": Operation not permitted', "local disk"],
    ["ENOTDIR: not a directory, mkdir '/k'", "a file is in its place"],
    ["EROFS: read-only file system, mkdir '/k'", "read-only disk"],
    ["EACCES: permission denied, mkdir '/k'", "This user may not use /k."],
    ['FATAL:  data directory "/k" has wrong ownership', "This user may not use /k."],
  ])("%s", (text, expected) => {
    expect(explain(text, "/k")).toContain(expected);
  });

  it("knows when it doesn't know", () => {
    expect(explain("FATAL:  something else", "/k")).toBeUndefined();
  });
});

describe("asDatabaseError", () => {
  it("turns what the system says into a sentence, with the cause", () => {
    const cause = Object.assign(new Error("disk quota exceeded, write"), { code: "EDQUOT" });
    const error = asDatabaseError(cause, "/k");
    expect(error).toBeInstanceOf(DatabaseError);
    expect(error).toMatchObject({ message: expect.stringContaining("is full"), name: "StartupError", cause });
  });

  it("leaves mistakes of the program as they are", () => {
    const mistake = new TypeError("x is not a function");
    expect(asDatabaseError(mistake, "/k")).toBe(mistake);
  });
});
