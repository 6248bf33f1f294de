import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isGoNewEnough, requireGo } from "./go.ts";

describe("Go", () => {
  it.each([
    ["go version go1.24 linux/amd64", true],
    ["go version go1.26.8 linux/amd64", true],
    ["go version go2.0 linux/amd64", true],
    ["go version go1.23.12 linux/amd64", false],
    ["go version devel", false],
  ])("%s: %s", (words, enough) => {
    expect(isGoNewEnough(words)).toBe(enough);
  });

  it("that isn't there is asked for, with where it is found", async () => {
    const options = { cwd: tmpdir(), env: { PATH: "/nowhere" } };
    await expect(requireGo(options)).rejects.toThrow(/there is no "go" here .*Install Go 1\.24 or newer.*go\.dev\/dl/);
  });

  it("that is too old is said to be", async () => {
    const folder = mkdtempSync(join(tmpdir(), "go-"));
    writeFileSync(join(folder, "go"), "#!/bin/sh\necho go version go1.19 linux/amd64\n", { mode: 0o755 });
    const options = { cwd: folder, env: { PATH: folder } };
    await expect(requireGo(options)).rejects.toThrow(/needs Go 1\.24 or newer.*says: go version go1\.19/);
    rmSync(folder, { recursive: true });
  });
});
