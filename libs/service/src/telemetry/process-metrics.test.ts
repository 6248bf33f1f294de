import { setTimeout as sleep } from "node:timers/promises";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { expect, it } from "vitest";
import { reportProcess } from "./process-metrics.ts";

it("says how the process is, in the conventions' names and units", async () => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  const stop = reportProcess(provider);
  const exported = async () => {
    await provider.forceFlush();
    const scopes = exporter.getMetrics().at(-1)?.scopeMetrics ?? [];
    return new Map(
      scopes.flatMap(({ metrics }) =>
        metrics.map(({ descriptor, dataPoints }) => [
          `${descriptor.name} ${descriptor.unit}`,
          dataPoints.map(({ value, attributes }) => ({ value: Number(value), ...attributes })),
        ]),
      ),
    );
  };
  // Until Node has looked at the event loop a few times.
  await expect.poll(async () => [...(await exported()).keys()]).toContain("nodejs.eventloop.delay.p99 s");
  await sleep(50);
  const metrics = await exported();
  const one = (name: string) => metrics.get(name)?.[0]?.value ?? Number.NaN;
  expect(one("nodejs.eventloop.delay.min s")).toBeLessThanOrEqual(one("nodejs.eventloop.delay.mean s"));
  expect(one("nodejs.eventloop.delay.mean s")).toBeLessThanOrEqual(one("nodejs.eventloop.delay.max s"));
  expect(one("nodejs.eventloop.delay.max s")).toBeLessThan(60);
  expect(one("nodejs.eventloop.utilization 1")).toBeGreaterThanOrEqual(0);
  expect(one("nodejs.eventloop.utilization 1")).toBeLessThanOrEqual(1);
  expect(one("process.memory.usage By")).toBeGreaterThan(10_000_000);
  const heap = metrics.get("v8js.memory.heap.used By");
  expect(heap).toContainEqual({ value: expect.any(Number), "v8js.heap.space.name": "old_space" });
  const cpu = metrics.get("process.cpu.time s");
  expect(cpu).toMatchObject([{ "cpu.mode": "user" }, { "cpu.mode": "system" }]);
  expect(cpu?.[0]?.value).toBeGreaterThan(0);
  stop();
  await provider.shutdown();
});
