import { startNode } from "@kinora/testing";
import { expect, it } from "vitest";

it("no job is lost and nothing done twice while workers, the encoder and Postgres are killed", {
  timeout: 600_000,
}, async () => {
  const { code, stdout, stderr } = await startNode("tools/chaos/src/main.ts", {
    args: ["--minutes", "0.5", "--workers", "2"],
  }).exit;
  expect(`${stdout}\n${stderr}`).toContain("Every job done and verified, nothing done again but what was killed.");
  expect(code).toBe(0);
});
