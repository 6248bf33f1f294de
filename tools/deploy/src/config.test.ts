import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readConfig } from "./config.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "config-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const read = (text: string) => {
  writeFileSync(join(folder, "deploy.json"), text);
  return readConfig(folder);
};

describe("deploy.json", () => {
  it("may be missing, and says only what differs", () => {
    const all = readConfig(folder);
    expect(all.environments).toEqual([]);
    expect(read('{"environments":["a"],"image":{"env":{"A":"1"}}}')).toEqual({
      ...all,
      environments: ["a"],
      image: { ...all.image, env: { A: "1" } },
    });
    expect(read('{"behaviour":{"beside":{"a":{"B_URL":"b"}}}}').behaviour.beside).toEqual({ a: { B_URL: "b" } });
  });

  it.each([
    ["{", "can't be read"],
    ["[]", "it is no table"],
    ['{"enviroments":[]}', "enviroments isn't known"],
    ['{"environments":"production"}', "environments is no list"],
    ['{"environments":[1]}', "environments has to hold texts"],
    ['{"image":{"bass":"x"}}', "image.bass isn't known"],
    ['{"image":null}', "image is no table"],
  ])("%s is refused", (text, message) => {
    expect(() => read(text)).toThrow(message);
  });
});
