import { type CallDurations, durationBuckets, durationInstruments, instrumentationScope } from "@kinora/rpc/telemetry";
import { type Attributes, type HrTime, ValueType } from "@opentelemetry/api";
import { millisToHrTime } from "@opentelemetry/core";
import { emptyResource } from "@opentelemetry/resources";
import {
  AggregationTemporality,
  type DataPoint,
  DataPointType,
  type Histogram,
  type HistogramMetricData,
  type MetricProducer,
} from "@opentelemetry/sdk-metrics";

type Side = keyof typeof durationInstruments;

/** The histogram of the calls with the same attributes. */
type Series = { attributes: Attributes; counts: number[]; count: number; sum: number; min: number; max: number };

/**
 * Counts calls into histograms and gives them to the SDK when it exports. The SDK's own instruments find a call's histogram by writing its attributes as
 * JSON, each time: about 1 µs a call, where this needs a few hundredths.
 */
export function createCallHistograms(now: () => number = Date.now): {
  durations: CallDurations;
  producer: MetricProducer;
} {
  const startTime = millisToHrTime(now());
  const sides: Record<Side, Series[]> = { server: [], client: [] };
  return {
    durations: {
      series(side, attributes) {
        const series: Series = {
          attributes,
          counts: new Array<number>(durationBuckets.length + 1).fill(0),
          count: 0,
          sum: 0,
          min: Number.POSITIVE_INFINITY,
          max: 0,
        };
        sides[side].push(series);
        return { record: (seconds) => count(series, seconds) };
      },
    },
    producer: {
      async collect() {
        const endTime = millisToHrTime(now());
        const metrics = (["server", "client"] as const)
          .filter((side) => sides[side].length > 0)
          .map((side) => metricOf(side, sides[side], startTime, endTime));
        const scopeMetrics = metrics.length === 0 ? [] : [{ scope: { name: instrumentationScope }, metrics }];
        return { resourceMetrics: { resource: emptyResource(), scopeMetrics }, errors: [] };
      },
    },
  };
}

function count(series: Series, seconds: number): void {
  // Most calls are in the first buckets. A bucket holds what is no larger than its boundary.
  let bucket = 0;
  while (bucket < durationBuckets.length && seconds > (durationBuckets[bucket] ?? 0)) {
    bucket++;
  }
  series.counts[bucket] = (series.counts[bucket] ?? 0) + 1;
  series.count++;
  series.sum += seconds;
  series.min = Math.min(series.min, seconds);
  series.max = Math.max(series.max, seconds);
}

function metricOf(side: Side, all: readonly Series[], startTime: HrTime, endTime: HrTime): HistogramMetricData {
  return {
    descriptor: { ...durationInstruments[side], valueType: ValueType.DOUBLE },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
    dataPointType: DataPointType.HISTOGRAM,
    dataPoints: all.map(
      ({ attributes, counts, count, sum, min, max }): DataPoint<Histogram> => ({
        startTime,
        endTime,
        attributes,
        value: { buckets: { boundaries: [...durationBuckets], counts: [...counts] }, count, sum, min, max },
      }),
    ),
  };
}
