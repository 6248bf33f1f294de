import { expect, it } from "vitest";
import { versionOf } from "./version.ts";

it.each([
  [`r.example.org/kinora/user@sha256:${"0123456789abcdef".repeat(4)}`, "0123456789"],
  ["user:1.2.3", "1-2-3"],
  ["localhost:5000/user:v1.0.0_RC.1", "v1-0-0-rc-1"],
])("of %s is %s", (image, version) => {
  expect(versionOf(image)).toBe(version);
});

it.each(["user", "localhost:5000/user", "user@sha256:12"])("there is none of %s", (image) => {
  expect(() => versionOf(image)).toThrow("neither a digest nor a tag");
});
