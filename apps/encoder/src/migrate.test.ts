import { startNode, temporaryFolder } from "@kinora/testing";
import { expect, it } from "vitest";

it("--migrate brings the tables up to date and ends, also when there is nothing to do; what is wrong fails it", async () => {
  const folder = await temporaryFolder();
  const migrate = (env: Record<string, string> = {}) =>
    startNode("apps/encoder/src/main.ts", {
      args: ["--migrate"],
      env: { KINORA_DATA: folder.path, PORT: undefined, DATABASE_URL: undefined, ...env },
    }).exit;
  const first = await migrate();
  expect(first).toMatchObject({ code: 0, stderr: "" });
  expect(first.stdout).toContain("the tables are up to date");
  expect(first.stdout).toContain("0001_");
  const second = await migrate();
  expect(second).toMatchObject({ code: 0, stderr: "" });
  expect(second.stdout).not.toContain("0001_");
  expect(await migrate({ DATABASE_URL: "postgres://127.0.0.1:1/nowhere" })).toMatchObject({ code: 1 });
  await folder.remove();
});
