import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import { getHeapSpaceStatistics } from "node:v8";
import { type MeterProvider, ValueType } from "@opentelemetry/api";

/**
 * Reports how the process is: event loop, heap, memory, CPU, by the names of the semantic conventions (`nodejs.*`, `v8js.*`, `process.*`). Everything is
 * read when metrics are exported; between exports only Node's own sampling of the event loop runs. Returns what ends that.
 */
export function reportProcess(provider: MeterProvider): () => void {
  const meter = provider.getMeter("@kinora/service");
  const seconds = { unit: "s" };
  const bytes = { unit: "By", valueType: ValueType.INT };
  const gauge = (name: string, description: string) => meter.createObservableGauge(name, { ...seconds, description });
  const delay = {
    min: gauge("nodejs.eventloop.delay.min", "Event loop minimum delay."),
    max: gauge("nodejs.eventloop.delay.max", "Event loop maximum delay."),
    mean: gauge("nodejs.eventloop.delay.mean", "Event loop mean delay."),
    stddev: gauge("nodejs.eventloop.delay.stddev", "Event loop standard deviation delay."),
    p50: gauge("nodejs.eventloop.delay.p50", "Event loop 50 percentile delay."),
    p90: gauge("nodejs.eventloop.delay.p90", "Event loop 90 percentile delay."),
    p99: gauge("nodejs.eventloop.delay.p99", "Event loop 99 percentile delay."),
  };
  const utilization = meter.createObservableGauge("nodejs.eventloop.utilization", {
    unit: "1",
    description: "Event loop utilization.",
  });
  const heap = (name: string, description: string) =>
    meter.createObservableUpDownCounter(name, { ...bytes, description });
  const heapUsed = heap("v8js.memory.heap.used", "Heap Memory size allocated.");
  const heapSize = heap("v8js.memory.heap.space.size", "Total heap memory size pre-allocated for a heap space.");
  const memory = heap("process.memory.usage", "The amount of physical memory in use.");
  const cpu = meter.createObservableCounter("process.cpu.time", {
    ...seconds,
    description: "Total CPU seconds broken down by different CPU modes.",
  });

  const histogram = monitorEventLoopDelay({ resolution: 20 });
  histogram.enable();
  let last = performance.eventLoopUtilization();
  meter.addBatchObservableCallback(
    (result) => {
      for (const [name, value] of Object.entries(delays(histogram))) {
        result.observe(delay[name as keyof typeof delay], value);
      }
      histogram.reset();
      const next = performance.eventLoopUtilization();
      result.observe(utilization, performance.eventLoopUtilization(next, last).utilization);
      last = next;
      for (const space of getHeapSpaceStatistics()) {
        const attributes = { "v8js.heap.space.name": space.space_name };
        result.observe(heapUsed, space.space_used_size, attributes);
        result.observe(heapSize, space.space_size, attributes);
      }
      result.observe(memory, process.memoryUsage.rss());
      const { user, system } = process.cpuUsage();
      result.observe(cpu, user / 1e6, { "cpu.mode": "user" });
      result.observe(cpu, system / 1e6, { "cpu.mode": "system" });
    },
    [...Object.values(delay), utilization, heapUsed, heapSize, memory, cpu],
  );
  return () => void histogram.disable();
}

/** What Node counted since the last time, in seconds; nothing where it hasn't counted yet. */
function delays(histogram: ReturnType<typeof monitorEventLoopDelay>) {
  if (histogram.count === 0) {
    return {};
  }
  const { min, max, mean, stddev } = histogram;
  const at = (percentile: number) => histogram.percentile(percentile);
  const nanoseconds = { min, max, mean, stddev, p50: at(50), p90: at(90), p99: at(99) };
  return Object.fromEntries(Object.entries(nanoseconds).map(([name, value]) => [name, value / 1e9]));
}
