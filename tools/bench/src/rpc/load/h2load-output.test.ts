import { expect, test } from "vitest";
import { parseLog, parseSummary } from "./h2load-output.ts";

function summary(finished: string, requests: string): string {
  return `starting benchmark...
spawning thread #0: 8 total client(s). 40000 total requests
Application protocol: h2c
progress: 100% done

finished in ${finished}
requests: ${requests}
status codes: 40000 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 1.11MB (1160800) total, 156.79KB (160552) headers (space savings 95.16%), 273.44KB (280000) data
                     min         max         mean         sd        +/- sd
time for request:      187us     24.57ms      5.45ms      2.49ms    83.97%
`;
}

const allGood = "40000 total, 40000 started, 40000 done, 40000 succeeded, 0 failed, 0 errored, 0 timeout";

test.each([
  ["875.81ms, 45672.22 req/s, 1.26MB/s", 0.87581],
  ["1.26s, 31668.85 req/s, 897.49KB/s", 1.26],
  ["950us, 31668.85 req/s, 897.49KB/s", 0.00095],
])("finished in %s", (finished, seconds) => {
  const read = parseSummary(summary(finished, allGood));
  expect(read).toEqual({ calls: 40_000, failed: 0, seconds: expect.closeTo(seconds), dataBytes: 280_000 });
});

test("whatever didn't succeed has failed", () => {
  const requests = "100 total, 100 started, 98 done, 95 succeeded, 5 failed, 2 errored, 0 timeout";
  expect(parseSummary(summary("1.26s, 1 req/s, 1KB/s", requests))).toMatchObject({ calls: 100, failed: 5 });
});

test("HTTP/1.1 has no header compression to speak of", () => {
  const text = summary("1.26s, 1 req/s, 1KB/s", allGood).replace(" (space savings 95.16%)", " (space savings 0.00%)");
  expect(parseSummary(text).dataBytes).toBe(280_000);
});

test("anything else is shown to whoever reads the error", () => {
  expect(() => parseSummary("h2load: command line is too long")).toThrow("command line is too long");
});

test("the log has a line per request; durations come in milliseconds", () => {
  const lines = Array.from({ length: 100 }, (_, index) => `1795343762471772\t200\t${(100 - index) * 1000}`);
  expect(parseLog(`${lines.join("\n")}\n`)).toEqual({ p50: 50, p99: 99 });
});
