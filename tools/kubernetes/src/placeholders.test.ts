import { expect, it } from "vitest";
import { placeholdersIn } from "./placeholders.ts";

it("finds addresses that are still an example's", () => {
  const telemetry = { port: 4318, endpoint: "http://collector.example.com:4318" };
  const environment = { publicUrl: "https://video.example.org", registry: "registry.acme.dev", telemetry, list: ["x"] };
  expect(placeholdersIn(environment)).toEqual(["publicUrl", "telemetry.endpoint"]);
  expect(placeholdersIn({ networks: ["10.42.0.0/16", "192.0.2.0/24", "2001:db8::/32"] })).toEqual([
    "networks.1",
    "networks.2",
  ]);
  expect(placeholdersIn({ address: "10.192.0.2" })).toEqual([]);
  expect(placeholdersIn({ publicUrl: "https://counterexample.organic.dev" })).toEqual([]);
});
