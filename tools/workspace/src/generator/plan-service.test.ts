import { describe, expect, it } from "vitest";
import { planService } from "./plan-service.ts";

const folders = ["proto/user", "proto/encoder", "apps/user", "libs/rpc", "tools/bench", "proto/buf.gen.user.yaml"];
const surroundings = {
  exists: (path: string) => folders.includes(path),
  ports: { user: 8081, encoder: 8082, "encoder-worker": 8083 },
};
const plan = (options: { name: string; calls?: string; team?: string }) => planService(options, surroundings);

describe("the plan of a new service", () => {
  it("has a free port, and always calls the user service", () => {
    expect(plan({ name: "billing" })).toEqual({
      name: "billing",
      title: "Billing",
      team: "billing",
      port: 8084,
      calls: [{ name: "user", port: 8081 }],
    });
    expect(plan({ name: "billing", calls: "encoder, user", team: "money" })).toMatchObject({
      team: "money",
      calls: [
        { name: "encoder", port: 8082 },
        { name: "user", port: 8081 },
      ],
    });
  });

  it.each([
    [{ name: "Billing" }, '"Billing" can\'t be the name of a service'],
    [{ name: "my-billing" }, "2 to 20 small letters and digits"],
    [{ name: "../x" }, "can't be the name of a service"],
    [{ name: "" }, "can't be the name of a service"],
    [{ name: "user" }, "There is proto/user already."],
    [{ name: "rpc" }, "There is libs/rpc already."],
    [{ name: "bench" }, "There is tools/bench already."],
    [{ name: "common" }, "it is used for something else"],
    [{ name: "billing", calls: "nobody" }, 'There is no service "nobody" to call. There are: encoder, user.'],
    [{ name: "billing", calls: "encoder-worker" }, 'There is no service "encoder-worker" to call.'],
    [{ name: "billing", calls: "billing" }, 'There is no service "billing" to call.'],
    [{ name: "billing", team: "@kinora/x" }, "can't be the name of a team"],
  ])("%j is refused", (options, message) => {
    expect(() => plan(options)).toThrow(message);
  });
});
