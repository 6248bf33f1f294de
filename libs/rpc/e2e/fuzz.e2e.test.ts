import { randomInt } from "node:crypto";
import { describe, expect, it } from "vitest";
import { fuzzClient } from "./fuzz/fuzz-client.ts";
import { fuzzServer } from "./fuzz/fuzz-server.ts";

// Another one each time: a failure prints it. Longer runs: `npm run fuzz -- --seconds 600`.
const seed = randomInt(2 ** 31);
const seconds = 30;
const patience = { timeout: 180_000, retry: 0 };

describe(`rubbish, seed ${seed}`, () => {
  it("doesn't harm a server", patience, async () => {
    const { cases, failures } = await fuzzServer({ seed, seconds });
    expect(failures).toEqual([]);
    expect(cases).toBeGreaterThan(0);
  });

  it("doesn't harm a client", patience, async () => {
    const { cases, failures } = await fuzzClient({ seed, seconds });
    expect(failures).toEqual([]);
    expect(cases).toBeGreaterThan(0);
  });
});
