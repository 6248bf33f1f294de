import { readdir } from "node:fs/promises";
import { temporaryFolder } from "@kinora/testing";
import { expect, it } from "vitest";
import { sharedTokens } from "./shared-tokens.ts";

const set = { SERVICE_TOKEN: "a-service-token-of-a-test", WORKER_TOKEN: undefined };

it("are what is set, else what lies in the data folder, and only those that the process takes", async () => {
  const folder = await temporaryFolder();
  try {
    const accepted = { SHARED_TOKENS: "accepted", ...set } as const;
    expect(await sharedTokens(accepted, folder.path, ["service"])).toEqual({ serviceToken: set.SERVICE_TOKEN });
    expect(await readdir(folder.path)).toEqual([]);
    const both = await sharedTokens(accepted, folder.path, ["service", "worker"]);
    expect(both).toEqual({ serviceToken: set.SERVICE_TOKEN, workerToken: expect.stringMatching(/^[\w-]{43}$/) });
    expect(await sharedTokens(accepted, folder.path, ["service", "worker"])).toEqual(both);
  } finally {
    await folder.remove();
  }
});

it("are none where they are refused, and none is made", async () => {
  const folder = await temporaryFolder();
  try {
    expect(await sharedTokens({ SHARED_TOKENS: "refused", ...set }, folder.path, ["service", "worker"])).toEqual({});
    expect(await readdir(folder.path)).toEqual([]);
  } finally {
    await folder.remove();
  }
});
