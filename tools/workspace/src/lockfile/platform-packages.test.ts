import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { missingPlatformPackages } from "./platform-packages.ts";

describe("missing platform packages", () => {
  it("are those that a package names and the lock doesn't hold", () => {
    const lock = {
      packages: {
        "node_modules/tool": {
          dev: true,
          optionalDependencies: { "tool-linux-x64-musl": "1.0.0", "tool-darwin-arm64": "1.0.0", "tool-own": "1.0.0" },
        },
        "node_modules/tool-darwin-arm64": { version: "1.0.0" },
        "node_modules/tool/node_modules/tool-own": { version: "1.0.0" },
      },
    };
    expect(missingPlatformPackages(lock)).toEqual({
      "node_modules/tool-linux-x64-musl": {
        version: "1.0.0",
        os: ["linux"],
        cpu: ["x64"],
        libc: ["musl"],
        dev: true,
        optional: true,
      },
    });
  });

  it.each([
    ["@bufbuild/buf-linux-armv7", { os: ["linux"], cpu: ["arm"] }],
    ["@nx/nx-linux-arm-gnueabihf", { os: ["linux"], cpu: ["arm"], libc: ["glibc"] }],
    ["@biomejs/cli-win32-x64", { os: ["win32"], cpu: ["x64"] }],
  ])("take the platform of %s from its name", (name, platform) => {
    const lock = { packages: { "node_modules/tool": { optionalDependencies: { [name]: "1.0.0" } } } };
    expect(missingPlatformPackages(lock)[`node_modules/${name}`]).toEqual({
      version: "1.0.0",
      ...platform,
      optional: true,
    });
  });

  it("are an error when the name doesn't say the platform", () => {
    const lock = { packages: { "node_modules/tool": { optionalDependencies: { "tool-extra": "1.0.0" } } } };
    expect(() => missingPlatformPackages(lock)).toThrow("tool-extra");
  });

  it("don't exist in this repository: `npm run lock` adds them, or npm ci refuses the lock", () => {
    const lock = JSON.parse(readFileSync(new URL("../../../../package-lock.json", import.meta.url), "utf8"));
    expect(Object.keys(missingPlatformPackages(lock))).toEqual([]);
  });
});
