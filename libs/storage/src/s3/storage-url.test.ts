import { describe, expect, it } from "vitest";
import { parseStorageUrl } from "./storage-url.ts";

describe("parseStorageUrl", () => {
  it("reads a bucket with what belongs to it", () => {
    expect(parseStorageUrl("s3://videos")).toEqual({ bucket: "videos", prefix: "", pathStyle: false });
    expect(parseStorageUrl("s3://videos/team/kinora/?region=eu-central-1")).toEqual({
      bucket: "videos",
      prefix: "team/kinora",
      region: "eu-central-1",
      pathStyle: false,
    });
    expect(parseStorageUrl("s3://videos?endpoint=http://minio:9000&public-endpoint=https://s3.example.org")).toEqual({
      bucket: "videos",
      prefix: "",
      endpoint: "http://minio:9000",
      publicEndpoint: "https://s3.example.org",
      pathStyle: true,
    });
    expect(parseStorageUrl("s3://videos?endpoint=https://r2.example.org&path-style=false")?.pathStyle).toBe(false);
  });

  it.each([
    "",
    "videos",
    "https://videos",
    "s3://",
    "s3://v",
    "s3://Videos_1",
    "s3://key:secret@videos",
    "s3://videos:9000",
    "s3://videos/a%20b",
    "s3://videos/.hidden",
    "s3://videos#x",
    "s3://videos?endpiont=http://minio:9000",
    "s3://videos?endpoint=minio:9000",
    "s3://videos?endpoint=http://key:secret@minio:9000",
    "s3://videos?endpoint=http://minio:9000/path",
    "s3://videos?region=a&region=b",
    "s3://videos?region=eu/central",
    "s3://videos?path-style=yes",
  ])("refuses %s", (text) => {
    expect(parseStorageUrl(text)).toBeUndefined();
  });
});
