import { randomBytes } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { InvalidKeyError, LengthMismatchError, type ObjectStore } from "../object-store.ts";

const text = async (store: ObjectStore, key: string, range?: { start: number; end: number }) => {
  const object = await store.get(key, range ? { range } : {});
  return object && (await buffer(object.body)).toString();
};

/**
 * What every store must do, whatever its objects are kept in.
 * @param open gives an empty store
 */
export function describeStore(name: string, open: () => Promise<ObjectStore>): void {
  describe(`${name} as an object store`, () => {
    it("keeps objects, whole and in part", async () => {
      const store = await open();
      const written = await store.put("videos/v/source", "hello world");
      expect(written.bytes).toBe(11);
      expect(await store.stat("videos/v/source")).toMatchObject(written);
      expect(written.etag).toMatch(/^"[^"]+"$/);
      expect(await text(store, "videos/v/source")).toBe("hello world");
      expect(await text(store, "videos/v/source", { start: 6, end: 10 })).toBe("world");
      const opened = await store.get("videos/v/source", { range: { start: 1, end: 2 } });
      expect(opened?.stat).toMatchObject({ bytes: 11 });
      opened?.body.destroy();
      expect(await store.get("videos/v")).toBeUndefined();
      expect(await store.stat("videos/w/source")).toBeUndefined();
      const replaced = await store.put("videos/v/source", Buffer.from("other"));
      expect(replaced.etag).not.toBe(written.etag);
      expect(await text(store, "videos/v/source")).toBe("other");
      await store.put("videos/v/empty", "");
      expect(await store.stat("videos/v/empty")).toMatchObject({ bytes: 0 });
      const modified = (await store.stat("videos/v/source"))?.modified.getTime() ?? 0;
      expect(Math.abs(Date.now() - modified)).toBeLessThan(3_600_000);
    });

    it("keeps large objects that come in small pieces", async () => {
      const store = await open();
      const body = randomBytes(20_000_000);
      const pieces = async function* () {
        for (let at = 0; at < body.length; at += 77_777) yield body.subarray(at, at + 77_777);
      };
      expect(await store.put("large", pieces(), { bytes: body.length })).toMatchObject({ bytes: body.length });
      const object = await store.get("large");
      expect(object && (await buffer(object.body)).equals(body)).toBe(true);
      expect(await store.stat("large")).toEqual(object?.stat);
      const part = await store.get("large", { range: { start: 8_000_000, end: 16_999_999 } });
      expect(part && (await buffer(part.body)).equals(body.subarray(8_000_000, 17_000_000))).toBe(true);
    });

    it("leaves nothing of a body that is too short, too long or breaks off", async () => {
      const store = await open();
      const endingAfter = async function* (bytes: number) {
        yield Buffer.alloc(bytes);
        throw new Error("the line went dead");
      };
      for (const body of ["abc", Buffer.alloc(9_000_000)]) {
        await expect(store.put("a/b", body, { bytes: body.length + 1 })).rejects.toThrow(LengthMismatchError);
        await expect(store.put("a/b", body, { bytes: body.length - 1 })).rejects.toThrow(LengthMismatchError);
        await expect(store.put("a/b", endingAfter(body.length))).rejects.toThrow("the line went dead");
      }
      await expect(store.put("a/b", "abc", { signal: AbortSignal.abort() })).rejects.toThrow();
      expect(await Array.fromAsync(store.list("a/"))).toEqual([]);
    });

    it("stops writing when it is told to", async () => {
      const store = await open();
      const abort = new AbortController();
      let written = 0;
      const endless = async function* () {
        for (;;) {
          yield Buffer.alloc(1_000_000);
          written += 1_000_000;
          if (written > 20_000_000) abort.abort(new Error("enough"));
          await delay(1);
        }
      };
      await expect(store.put("a/b", endless(), { signal: abort.signal })).rejects.toThrow("enough");
      expect(await store.stat("a/b")).toBeUndefined();
    });

    it("stops reading when it is told to", async () => {
      const store = await open();
      await store.put("a/b", Buffer.alloc(5_000_000));
      const abort = new AbortController();
      const object = await store.get("a/b", { signal: abort.signal });
      abort.abort(new Error("enough"));
      await expect(object && buffer(object.body)).rejects.toThrow(/abort/i);
      await expect(store.get("a/b", { signal: abort.signal })).rejects.toThrow("enough");
    });

    it("lists and deletes what lies below a prefix, and nothing else", async () => {
      const store = await open();
      for (const key of ["v/1/a", "v/1/b/c", "v/12/a", "v/2"]) await store.put(key, key);
      const listed = await Array.fromAsync(store.list("v/1/"));
      expect(listed.sort((a, b) => a.key.localeCompare(b.key))).toEqual([
        { key: "v/1/a", bytes: 5 },
        { key: "v/1/b/c", bytes: 7 },
      ]);
      await store.deletePrefix("v/1/");
      await store.deletePrefix("v/1/");
      expect(await Array.fromAsync(store.list("v/1/"))).toEqual([]);
      expect((await Array.fromAsync(store.list("v/"))).map(({ key }) => key).sort()).toEqual(["v/12/a", "v/2"]);
      for (const prefix of ["", "v", "/", "../", "v//"]) {
        await expect(store.deletePrefix(prefix)).rejects.toThrow(InvalidKeyError);
      }
    });

    it("lists and deletes more than fit in one answer", async () => {
      const store = await open();
      const numbers = Array.from({ length: 1_150 }, (_, index) => index);
      while (numbers.length > 0) {
        await Promise.all(numbers.splice(0, 50).map((index) => store.put(`many/${index}`, "x".repeat(index % 7))));
      }
      const many = await Array.fromAsync(store.list("many/"));
      expect(new Set(many.map(({ key }) => key)).size).toBe(1_150);
      expect(many.every(({ key, bytes }) => bytes === Number(key.slice(5)) % 7)).toBe(true);
      await store.deletePrefix("many/");
      expect(await Array.fromAsync(store.list("many/"))).toEqual([]);
    });

    it("refuses keys that would lie elsewhere", async () => {
      const store = await open();
      for (const key of ["", "/", "..", "a/../b", "a//b", ".a", "a b", "ä", `${"x".repeat(600)}`]) {
        await expect(store.put(key, "x"), key).rejects.toThrow(InvalidKeyError);
        await expect(store.get(key), key).rejects.toThrow(InvalidKeyError);
        await expect(store.sign(key, { method: "GET", expiresInSeconds: 60 }), key).rejects.toThrow(InvalidKeyError);
      }
    });

    it("takes many writers of one key: one of them wins as a whole", async () => {
      const store = await open();
      const bodies = Array.from({ length: 8 }, () => randomBytes(300_000));
      await Promise.all(bodies.map((body) => store.put("a/b", body)));
      const object = await store.get("a/b");
      const kept = object && (await buffer(object.body));
      expect(kept && bodies.some((body) => body.equals(kept))).toBe(true);
    });
  });
}

/** What a signed address must do, for stores that somebody serves. */
export function describeSigned(name: string, open: () => Promise<ObjectStore>): void {
  describe(`${name}'s signed addresses`, () => {
    it("let their holder read one object, for a time", async () => {
      const store = await open();
      await store.put("a/b", "hello world");
      await store.put("a/c", "secret");
      const url = await store.sign("a/b", { method: "GET", expiresInSeconds: 60 });
      const part = await fetch(url, { headers: { range: "bytes=6-10" } });
      expect([part.status, await part.text(), part.headers.get("content-range")]).toEqual([
        206,
        "world",
        "bytes 6-10/11",
      ]);
      expect(await (await fetch(url)).text()).toBe("hello world");
      expect((await fetch(url.replace("a/b", "a/c"))).status).toBe(403);
      expect((await fetch(url, { method: "PUT", body: "x" })).status).toBeGreaterThanOrEqual(400);
      expect((await fetch(url, { method: "DELETE" })).status).toBeGreaterThanOrEqual(400);
      expect(await text(store, "a/b")).toBe("hello world");
      const short = await store.sign("a/b", { method: "GET", expiresInSeconds: 1 });
      await expect.poll(async () => (await fetch(short)).status, { timeout: 10_000 }).toBe(403);
    });

    it("let their holder write one object of the length that was agreed on", async () => {
      const store = await open();
      const url = await store.sign("a/b", { method: "PUT", expiresInSeconds: 60, bytes: 11, contentType: "video/mp4" });
      const put = (body: string, to = url) =>
        fetch(to, { method: "PUT", body, headers: { "content-type": "video/mp4" } });
      expect((await put("hello world, and more")).status).toBeGreaterThanOrEqual(400);
      expect((await put("hello world", url.replace("a/b", "a/c"))).status).toBe(403);
      expect(await Array.fromAsync(store.list("a/"))).toEqual([]);
      expect((await put("hello world")).ok).toBe(true);
      expect(await text(store, "a/b")).toBe("hello world");
      expect((await fetch(url)).status).toBeGreaterThanOrEqual(400);
    });
  });
}
