import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { renderFiles } from "./files.ts";
import { servicesIn } from "./services.ts";

const workspace = fileURLToPath(new URL("../../../", import.meta.url));
const digest = "a1b2c3d4e5".padEnd(64, "0");

describe("rendered files", () => {
  it("in the repository are what the TypeScript says", async () => {
    const files = await renderFiles({ workspace });
    expect(files.length).toBeGreaterThan(0);
    for (const { path, text } of files) {
      expect(
        existsSync(join(workspace, path)) && readFileSync(join(workspace, path), "utf8"),
        `${path}: run npx kinora-manifests`,
      ).toBe(text);
    }
  });

  it("run the image that they are given, and name the migration after it", async () => {
    const image = `registry.example.org/kinora/user@sha256:${digest}`;
    const files = await renderFiles({ workspace, services: ["user"], environment: "staging", images: { user: image } });
    expect(files.map(({ path }) => path)).toEqual([
      "apps/user/deploy/staging/migrate.yaml",
      "apps/user/deploy/staging/service.yaml",
    ]);
    for (const { text } of files) expect(text).toContain(`image: ${image}\n`);
    expect(files[0]?.text).toContain("name: user-migrate-a1b2c3d4e5\n");
  });

  it.each([
    [{ services: ["users"] }, `There is no service users. There are: ${servicesIn(workspace).join(", ")}.`],
    [{ environment: "prod" }, "There is no environment prod. There are: staging, production."],
    [{ images: { nobody: "a:1" } }, "There is no service nobody."],
  ])("are refused for %j", async (options, message) => {
    await expect(renderFiles({ workspace, ...options })).rejects.toThrow(message);
  });
});
