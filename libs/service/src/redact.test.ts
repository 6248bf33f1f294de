import { describe, expect, it } from "vitest";
import { createLogger } from "./logger.ts";
import { redact } from "./redact.ts";

function logged(write: (logger: ReturnType<typeof createLogger>) => void, format: "json" | "pretty"): string {
  const lines: string[] = [];
  write(createLogger({ name: "test", level: "trace", format }, { write: (line) => void lines.push(line) }));
  return lines.join("");
}

describe.each(["json", "pretty"] as const)("a %s log", (format) => {
  it("shows no secret, wherever it is", () => {
    const jwt = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJodW50ZXIyIn0.hunter2_signature";
    const output = logged((logger) => {
      logger.info({ password: "hunter2", newPassword: 'hun"ter2', nested: { refresh_token: "hunter2" } }, "fields");
      logger.info({ headers: { authorization: "Basic hunter2", "set-cookie": "hunter2" } }, "headers");
      logger.info("sent Authorization: Bearer hunter2");
      logger.warn({ err: new Error("postgres://kinora:hunter2@db/kinora is away") }, "failed");
      logger.error({ err: Object.assign(new Error("no"), { token: "hunter2" }) }, "failed");
      logger.info({ body: JSON.stringify({ password: "hunter2" }) }, "body");
      logger.child({ workerToken: "hunter2" }).info(`got ${jwt}`);
    }, format);
    expect(output).not.toContain("hunter2");
    expect(output.match(/\[redacted\]/g)?.length).toBeGreaterThanOrEqual(9);
    expect(output).toContain("db/kinora is away");
  });

  it("has the level, the name and the fields", () => {
    const output = logged((logger) => logger.info({ tokens: 5, url: "http://host:80/path" }, "hello"), format);
    for (const part of ["test", "hello", "http://host:80/path", "5"]) {
      expect(output).toContain(part);
    }
    expect(output).toMatch(/info/i);
  });
});

describe("redact", () => {
  it("leaves of an API key what it is known by", () => {
    const key = `kinora_0123abcd_${"x".repeat(43)}`;
    expect(redact(`{"msg":"no such key: ${key}"}`)).toBe('{"msg":"no such key: kinora_0123abcd_[redacted]"}');
  });

  it("keeps a line of JSON one", () => {
    const line = JSON.stringify({ password: 'a\\"b', next: 'x "token":"y" z', url: "https://a:b@c/d" });
    expect(Object.keys(JSON.parse(redact(line)))).toEqual(["password", "next", "url"]);
  });
});
