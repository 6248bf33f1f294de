import { expect, it } from "vitest";
import { placeholdersIn } from "./placeholders.ts";

it("finds addresses that are still an example's", () => {
  const telemetry = { port: 4318, endpoint: "http://collector.example.com:4318" };
  const environment = { publicUrl: "https://video.example.org", registry: "registry.acme.dev", telemetry, list: ["x"] };
  expect(placeholdersIn(environment)).toEqual(["publicUrl", "telemetry.endpoint"]);
  expect(placeholdersIn({ publicUrl: "https://counterexample.organic.dev" })).toEqual([]);
});
