import type { Storage } from "@kinora/storage";
import { describe, expect, it } from "vitest";
import { createSegmentSource } from "./segment-source.ts";

/** A bucket that signs like S3. Stands for one that is reached with a role's credentials: a test's server refuses tokens that it didn't give. */
const signing = (query: string) =>
  ({
    kind: "s3",
    store: { sign: async (key: string) => `https://bucket.example.org/${key}?X-Amz-Expires=21600${query}` },
  }) as unknown as Storage;

const keptFor = async (query: string) => {
  const { locate } = await createSegmentSource(signing(query), "storage");
  return (await locate("a/1.m4s", "video/mp4"))?.keepSeconds;
};

describe("a redirect to a bucket", () => {
  it("is kept for less time than its address is good", async () => {
    expect(await keptFor("&X-Amz-Signature=1")).toBe(3600);
  });

  it("is kept for a minute where its address ends with the credentials that signed it", async () => {
    expect(await keptFor("&X-Amz-Security-Token=t&X-Amz-Signature=1")).toBe(60);
  });
});
