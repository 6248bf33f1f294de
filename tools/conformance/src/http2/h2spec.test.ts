import { expect, it } from "vitest";
import { readH2spec } from "./h2spec.ts";

it("reads what failed, and why", () => {
  const output = `  3. Starting HTTP/2
    ✔ 1: Sends client connection preface

Failures: 

Hypertext Transfer Protocol Version 2 (HTTP/2)
  3. Starting HTTP/2
    3.5. HTTP/2 Connection Preface
      × 2: Sends invalid connection preface
        -> The endpoint MUST terminate the TCP connection.
           Expected: Connection closed
             Actual: Timeout

Finished in 0.5791 seconds
146 tests, 144 passed, 1 skipped, 1 failed
`;
  const outcome = readH2spec(output);
  expect(outcome).toMatchObject({ passed: 144, notRun: 1 });
  expect(outcome?.failed).toEqual([
    { name: "2: Sends invalid connection preface", words: expect.stringContaining("Actual: Timeout") },
  ]);
});

it("reads a run without failures", () => {
  expect(readH2spec("Finished in 1 seconds\n146 tests, 146 passed, 0 skipped, 0 failed\n")).toEqual({
    passed: 146,
    failed: [],
    notRun: 0,
  });
});

it("knows a run that broke off", () => {
  expect(readH2spec("Error: connection refused")).toBeUndefined();
});

it("counts failures that it can't name", () => {
  expect(readH2spec("146 tests, 140 passed, 0 skipped, 6 failed\n")).toMatchObject({ passed: 140, notRun: 6 });
});
