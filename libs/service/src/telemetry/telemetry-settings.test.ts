import { describe, expect, it } from "vitest";
import { ConfigError, readConfig } from "../config.ts";
import { pairs, telemetrySettings } from "./telemetry-settings.ts";

describe("the settings of telemetry", () => {
  it("are off by default", () => {
    expect(readConfig({}, telemetrySettings)).toMatchObject({
      OTEL_EXPORTER_OTLP_ENDPOINT: undefined,
      OTEL_TRACES_SAMPLER: "parentbased_always_on",
      OTEL_TRACES_SAMPLER_ARG: 1,
    });
  });

  it.each([
    ["OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "http/protobuf"],
    ["OTEL_TRACES_SAMPLER", "sometimes", "parentbased_traceidratio"],
    ["OTEL_TRACES_SAMPLER_ARG", "1.5", "a number from 0 to 1"],
    ["OTEL_TRACES_SAMPLER_ARG", "0x1", "a number from 0 to 1"],
    ["OTEL_RESOURCE_ATTRIBUTES", "team", "name=value"],
  ])("name what is wrong: %s=%s", (name, value, expected) => {
    expect(() => readConfig({ [name]: value }, telemetrySettings)).toThrow(expected);
    expect(() => readConfig({ [name]: value }, telemetrySettings)).toThrow(ConfigError);
  });

  it("never show the collector's credential", () => {
    const wrong = { OTEL_EXPORTER_OTLP_HEADERS: "hunter2" };
    expect(() => readConfig(wrong, telemetrySettings)).toThrow(/OTEL_EXPORTER_OTLP_HEADERS \(not shown\)/);
  });
});

describe("pairs", () => {
  it.each([
    ["a=1", { a: "1" }],
    [" a = 1 , b=x=y ,", { a: "1", b: "x=y" }],
    ["a=%20b%2Cc", { a: " b,c" }],
    ["a=", { a: "" }],
    ["=1", undefined],
    ["a", undefined],
    ["a=%", undefined],
  ])("%s", (given, parsed) => {
    expect(pairs().parse(given)).toEqual(parsed);
  });
});
