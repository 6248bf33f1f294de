import { describe, expect, it } from "vitest";
import { readCommandLine } from "./command-line.ts";

describe("the command line", () => {
  it("names services, an environment and images", () => {
    const digest = `registry.example.org/kinora/user@sha256:${"0".repeat(64)}`;
    expect(
      readCommandLine([
        "user",
        "--env",
        "staging",
        "--image",
        `user=${digest}`,
        "--image",
        "encoder=encoder:1.2",
        "--out",
        "dist",
      ]),
    ).toEqual({
      services: ["user"],
      environment: "staging",
      images: { user: digest, encoder: "encoder:1.2" },
      out: "dist",
      check: false,
      help: false,
    });
  });

  it.each([
    [["--image", "user"], "--image user: expected SERVICE=NAME@sha256:DIGEST"],
    [["--image", "user=repository"], "expected SERVICE=NAME@sha256:DIGEST"],
    [["--image", "user=r@sha256:12"], "expected SERVICE=NAME@sha256:DIGEST"],
    [["--check", "--out", "dist"], "leave out --out"],
    [["--nothing"], "--nothing"],
  ])("%j is refused", (args, message) => {
    expect(() => readCommandLine(args)).toThrow(message);
  });
});
