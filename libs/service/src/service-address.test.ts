import { describe, expect, it } from "vitest";
import { readConfig } from "./config.ts";
import { serviceAddress, webAddress } from "./service-address.ts";

describe("the address of a service", () => {
  const read = (text: string | undefined) =>
    readConfig({ X: text }, { X: serviceAddress({ default: "http://here" }) }).X;

  it.each([
    ["http://user:8081/", "http://user:8081", "http://user:8081"],
    ["https://user.example.org", "https://user.example.org", "https://user.example.org"],
    ["dns:///user:8081", "dns:///user:8081", "http://user:8081"],
    ["dns:///user.kinora.svc.cluster.local:8081", undefined, "http://user.kinora.svc.cluster.local:8081"],
    ["dns:///user", "dns:///user", "http://user"],
    [undefined, "http://here", "http://here"],
  ])("%s is called as it is, and by plain HTTP as one of its addresses", (text, called = text, web) => {
    expect(read(text)).toBe(called);
    expect(webAddress(read(text))).toBe(web);
  });

  it.each([
    "dns://user:8081",
    "dns:///",
    "dns:///user:0",
    "dns:///user:65536",
    "dns:///user:8081/path",
    "dns:///-",
    "user:8081",
  ])("%s is refused", (text) => {
    expect(() => read(text)).toThrow("expected an address such as http://host:1234 or dns:///host:1234");
  });
});
