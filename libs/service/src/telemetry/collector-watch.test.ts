import type { Logger, LogMethod } from "@kinora/rpc";
import { type ExportResult, ExportResultCode } from "@opentelemetry/core";
import { expect, it } from "vitest";
import { watchCollector } from "./collector-watch.ts";

it("tells once of a collector that can't be reached, and once when it can again", () => {
  const lines: [string, unknown, unknown][] = [];
  const at =
    (level: string): LogMethod =>
    (fields: unknown, message?: unknown) =>
      void lines.push([level, fields, message]);
  const logger: Logger = {
    trace: at("trace"),
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    fatal: at("fatal"),
    child: () => logger,
  };
  let result: ExportResult = { code: ExportResultCode.SUCCESS };
  const exporter = watchCollector(
    { export: (_data: string, done: (result: ExportResult) => void) => done(result) },
    "http://collector/v1/traces",
    logger,
  );
  const told: ExportResult[] = [];
  const exportAll = (times: number) => {
    for (let i = 0; i < times; i++) exporter.export("spans", (one) => told.push(one));
  };
  exportAll(2);
  result = { code: ExportResultCode.FAILED, error: new Error("connect ECONNREFUSED") };
  exportAll(3);
  result = { code: ExportResultCode.SUCCESS };
  exportAll(2);
  result = { code: ExportResultCode.FAILED };
  exportAll(2);
  const collector = "http://collector/v1/traces";
  expect(lines).toEqual([
    ["warn", { collector, reason: "connect ECONNREFUSED" }, "telemetry can't be delivered; it is lost until it can"],
    ["info", { collector }, "telemetry is delivered again"],
    ["warn", { collector, reason: undefined }, "telemetry can't be delivered; it is lost until it can"],
  ]);
  // To the SDK there is nothing to complain of.
  expect(told).toEqual(Array.from({ length: 9 }, () => ({ code: ExportResultCode.SUCCESS })));
});
