import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { ConfigError, readConfig } from "./config.ts";
import { integer, oneOf, optional, path, port, secret, text, url } from "./config-settings.ts";

describe("readConfig", () => {
  it("reads values of every kind, and defaults where nothing is set", () => {
    const spec = {
      PORT: port({ default: 8081 }),
      HOST: text({ default: "127.0.0.1" }),
      DATABASE_URL: optional(url({ schemes: ["postgres", "postgresql"], secret: true })),
      SIGN_UP: oneOf(["open", "closed"], { default: "open" }),
      QUOTA_MINUTES: integer({ default: 0, min: 0 }),
      KINORA_DATA: path({ default: ".kinora" }),
      TOKEN: optional(secret()),
    };
    expect(readConfig({}, spec)).toEqual({
      PORT: 8081,
      HOST: "127.0.0.1",
      DATABASE_URL: undefined,
      SIGN_UP: "open",
      QUOTA_MINUTES: 0,
      KINORA_DATA: resolve(".kinora"),
      TOKEN: undefined,
    });
    const env = {
      PORT: " 0 ",
      HOST: "",
      DATABASE_URL: "postgres://me:secret@host/db",
      SIGN_UP: "closed",
      QUOTA_MINUTES: "90",
      KINORA_DATA: "/data/../data/kinora",
      TOKEN: "0123456789abcdef",
      OTHER: "ignored",
    };
    expect(readConfig(env, spec)).toEqual({
      PORT: 0,
      HOST: "127.0.0.1",
      DATABASE_URL: "postgres://me:secret@host/db",
      SIGN_UP: "closed",
      QUOTA_MINUTES: 90,
      KINORA_DATA: "/data/kinora",
      TOKEN: "0123456789abcdef",
    });
  });

  it.each([
    [port(), "65536", 'X="65536": expected a port number from 0 to 65535'],
    [port(), "80.5", 'X="80.5": expected a port number from 0 to 65535'],
    [port(), "0x50", 'X="0x50": expected a port number from 0 to 65535'],
    [integer({ min: 1, max: 8 }), "9", 'X="9": expected a whole number from 1 to 8'],
    [integer({ min: 1 }), "-1", 'X="-1": expected a whole number, 1 or more'],
    [url(), "localhost:8080", 'X="localhost:8080": expected an address such as http://host:1234'],
    [url(), "http://", 'X="http://": expected an address such as http://host:1234'],
    [url({ secret: true }), "no/url:pw", "X (not shown): expected an address such as http://host:1234"],
    [oneOf(["open", "closed"]), "ajar", 'X="ajar": expected one of open, closed'],
    [secret(), "hunter2", "X (not shown): expected a secret of 16 to 1000 visible ASCII characters without spaces"],
    [text({ maxLength: 3 }), "four", 'X="four": expected text of at most 3 characters'],
    [port(), undefined, "X is not set; expected a port number from 0 to 65535"],
  ])("refuses what is wrong: %#", (setting, value, message) => {
    expect(() => readConfig({ X: value }, { X: setting })).toThrow(new ConfigError(`wrong configuration: ${message}`));
  });

  it("names every wrong variable at once", () => {
    expect(() => readConfig({ A: "x" }, { A: port(), B: text() })).toThrow(/A="x".*B is not set/);
  });

  it("takes slashes from the end of an address", () => {
    expect(readConfig({ X: "http://host:80/base//" }, { X: url() })).toEqual({ X: "http://host:80/base" });
  });
});
