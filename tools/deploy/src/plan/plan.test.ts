import { describe, expect, it } from "vitest";
import { type Candidate, type Known, makePlan } from "./plan.ts";
import { reasonsFor } from "./reasons.ts";
import { describePlan } from "./table.ts";

const candidate = (change: Partial<Candidate> = {}): Candidate => ({
  service: "user",
  hash: "1",
  inputs: { "file a.ts": "1" },
  settings: {},
  ...change,
});
const recorded = (hash: string, inputs = {}, settings = {}): Known => ({ state: "recorded", hash, inputs, settings });
const reasons = (candidates: Candidate[], known: Known, fault?: string) =>
  makePlan("production", candidates, () => known, fault).include.map((due) => due.reasons);

describe("a plan", () => {
  it("leaves a service alone only when its hash is what is recorded", () => {
    expect(makePlan("production", [candidate()], () => recorded("1"), undefined)).toEqual({
      environment: "production",
      include: [],
      unchanged: ["user"],
      everything: null,
    });
    expect(reasons([candidate()], recorded("2", { "file a.ts": "2" }))).toEqual([["a.ts changed"]]);
  });

  it.each<[string, Candidate, Known, string | undefined, RegExp]>([
    ["nothing is recorded", candidate(), { state: "none" }, undefined, /never deployed/],
    ["the record is damaged", candidate(), { state: "unreadable", fault: "f is damaged" }, undefined, /f is damaged/],
    ["Nx couldn't tell the hash", { service: "user", settings: {} }, recorded("1"), undefined, /isn't known/],
    ["the graph is broken, though the hash is the same", candidate(), recorded("1"), "no graph", /no graph/],
    ["the hash differs and no input does", candidate(), recorded("2", { "file a.ts": "1" }), undefined, /otherwise/],
    [
      "a setting changed",
      candidate({ settings: { "setting s": "2" } }),
      recorded("1", {}, { "setting s": "1" }),
      undefined,
      /s changed/,
    ],
  ])("has it go out when %s", (_what, service, known, fault, reason) => {
    expect(reasons([service], known, fault)).toEqual([[expect.stringMatching(reason)]]);
  });

  it("is told in few lines, however many reasons there are", () => {
    const inputs = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`file ${index}.ts`, "1"]));
    const plan = makePlan(
      "production",
      [candidate({ inputs }), candidate({ service: "encoder" })],
      (name) => (name === "user" ? recorded("0") : recorded("1")),
      undefined,
    );
    const text = describePlan(plan);
    expect(text.split("\n").length).toBe(9);
    expect(text).toMatch(/and 44 more/);
    expect(text).toMatch(/encoder +unchanged/);
  });
});

describe("reasons", () => {
  it.each([
    [{}, { "file a": "1" }, "a added"],
    [{ "file a": "1" }, {}, "a removed"],
    [{ "package jose": "6.0.0 1" }, { "package jose": "6.0.1 2" }, "package jose 6.0.0 → 6.0.1"],
    [{ "package jose": "6.0.0 1" }, { "package jose": "6.0.0 2" }, "package jose 6.0.0 has other content"],
    [{}, { "package jose": "6.0.0 1" }, "package jose 6.0.0 added"],
    [{ "project lib-rpc": "1" }, { "project lib-rpc": "2" }, "the configuration of project lib-rpc changed"],
  ])("%j, %j: %s", (before, after, sentence) => {
    expect(reasonsFor(before, after)).toEqual([sentence]);
  });
});
