import { describe, expect, it } from "vitest";
import { commonOptions, parseCommandArguments, splitCommandLine } from "./arguments.ts";
import { UsageError } from "./errors.ts";

describe("splitCommandLine", () => {
  it.each<[string[], string | undefined, string[]]>([
    [[], undefined, []],
    [["list"], "list", []],
    [["encode", "a.mp4", "--out", "dir"], "encode", ["a.mp4", "--out", "dir"]],
    [["--server", "http://x", "list"], "list", ["--server", "http://x"]],
    [["--server=http://x", "--json", "list", "-n", "3"], "list", ["--server=http://x", "--json", "-n", "3"]],
    [["--version"], undefined, ["--version"]],
    [["--server"], undefined, ["--server"]],
  ])("%j", (args, name, rest) => {
    expect(splitCommandLine(args)).toEqual({ name, rest });
  });
});

describe("parseCommandArguments", () => {
  const options = { ...commonOptions, out: { type: "string", short: "o", about: "" } } as const;
  const parse = (...args: string[]) => parseCommandArguments(args, options, [1, 1], "kinora encode FILE");

  it("reads options and positional arguments, in any order", () => {
    expect(parse("--json", "a.mp4", "-o", "dir")).toMatchObject({
      values: { json: true, out: "dir" },
      positionals: ["a.mp4"],
    });
    expect(parse("--", "-strange.mp4").positionals).toEqual(["-strange.mp4"]);
  });

  it.each([
    [["--foo", "a"], "Unknown option '--foo'."],
    [["a", "--out"], "Option '-o, --out <value>' argument missing."],
    [["a", "--json=yes"], "Option '--json' does not take an argument."],
    [[], "Something is missing: kinora encode FILE"],
    [["a", "b"], '"b" is one word too many: kinora encode FILE'],
  ])("refuses %j in one sentence", (args, message) => {
    expect(() => parse(...args)).toThrow(new UsageError(message));
  });

  it("asks for nothing else when help is wanted", () => {
    expect(parse("--help").values).toMatchObject({ help: true });
  });
});
