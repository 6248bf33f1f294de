import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseRecord, type ServiceRecord } from "./record.ts";
import { openRecordStore, type RecordStore } from "./record-store.ts";

let folder: string;
let store: RecordStore;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "records-"));
  store = openRecordStore(folder);
});
afterEach(() => rmSync(folder, { recursive: true }));

const record = (change: Partial<ServiceRecord> = {}): Omit<ServiceRecord, "number"> => ({
  schema: 1,
  service: "user",
  environment: "production",
  recordedAt: "2026-01-01T00:00:00.000Z",
  hash: "1",
  commit: "abc",
  image: "user@sha256:1",
  provides: null,
  calls: [],
  inputs: { "file a": "1" },
  settings: {},
  rollbackTo: null,
  ...change,
});
const path = (number: string): string => join(folder, "production/user", `${number}.json`);

describe("records", () => {
  it("are appended; the last one is what runs", () => {
    expect(store.current("production", "user")).toBeUndefined();
    store.append(record(), 0);
    store.append(record({ hash: "2" }), 1);
    expect(store.current("production", "user")).toEqual({ ...record({ hash: "2" }), number: 2 });
    expect(store.get("production", "user", 1).hash).toBe("1");
    expect(store.numbers("production", "user")).toEqual([2, 1]);
    expect(store.services("production")).toEqual(["user"]);
    expect(store.services("staging")).toEqual([]);
    expect(readdirSync(join(folder, "production/user"))).toEqual(["000001.json", "000002.json"]);
  });

  it("have one winner when two write at once, and nothing half-written stays", () => {
    store.append(record({ hash: "first" }), 0);
    expect(() => store.append(record({ hash: "second" }), 0)).toThrow(/somebody else meanwhile/);
    expect(store.current("production", "user")?.hash).toBe("first");
    expect(readdirSync(join(folder, "production/user"))).toEqual(["000001.json"]);
  });

  it.each([
    ["cut off", '{"schema": 1, "serv', /damaged/],
    ["empty", "", /damaged/],
    ["of a later tool", '{"schema": 2}', /schema is 2/],
    ["without a hash", JSON.stringify({ ...record(), number: 2, hash: undefined }), /hash is missing/],
    ["of another service", JSON.stringify({ ...record({ service: "encoder" }), number: 2 }), /record 2 of encoder/],
    ["with another number", JSON.stringify({ ...record(), number: 7 }), /record 7/],
    ["with calls that are none", JSON.stringify({ ...record(), number: 2, calls: [{}] }), /calls/],
  ])("that are %s are an error, never nothing and never the one before", (_what, text, message) => {
    store.append(record(), 0);
    writeFileSync(path("000002"), text);
    expect(() => store.current("production", "user")).toThrow(message);
  });

  it("are found by nothing that isn't a record", () => {
    store.append(record(), 0);
    for (const name of ["notes.md", "000002.json.tmp", "2.json"])
      writeFileSync(join(folder, "production/user", name), "");
    expect(store.numbers("production", "user")).toEqual([1]);
  });

  it.each(["../user", "a/b", "", ".", "..", "x".repeat(200)])("can't be put elsewhere by the name %j", (name) => {
    expect(() => store.append(record({ service: name }), 0)).toThrow(/name|missing/);
    expect(() => store.current(name, "user")).toThrow(/name/);
  });

  it("of any bytes either parse or say what is wrong", () => {
    const good = JSON.stringify({ ...record(), number: 1 });
    fc.assert(
      fc.property(fc.nat(good.length), fc.string(), (at, text) => {
        try {
          expect(parseRecord(good.slice(0, at) + text + good.slice(at + 1), "f").schema).toBe(1);
        } catch (error) {
          expect((error as Error).message).toMatch(/^f is damaged/);
        }
      }),
    );
  });
});

describe("objects", () => {
  it("lie under what they hold, once", () => {
    const digest = store.putObject("production", Buffer.from("contract"));
    expect(store.putObject("production", Buffer.from("contract"))).toBe(digest);
    expect(store.getObject("production", digest).toString()).toBe("contract");
    expect(readdirSync(join(folder, "production/objects"))).toEqual([digest]);
  });

  it("that are missing or changed are an error", () => {
    const digest = store.putObject("production", Buffer.from("contract"));
    writeFileSync(join(folder, "production/objects", digest), "other");
    expect(() => store.getObject("production", digest)).toThrow(/damaged/);
    rmSync(join(folder, "production/objects", digest));
    expect(() => store.getObject("production", digest)).toThrow(/missing/);
  });
});
