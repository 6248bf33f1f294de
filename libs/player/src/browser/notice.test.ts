import { describe, expect, it } from "vitest";
import type { VideoStatus } from "../video-status.ts";
import { noticeOf } from "./notice.js";

const status = (part: Partial<VideoStatus>): VideoStatus => ({
  state: "encoding",
  fraction: 0.5,
  speed: 0,
  tracks: [],
  durationSeconds: 60,
  stream: "",
  streamSince: "",
  poster: false,
  storyboard: false,
  ...part,
});

describe("what the page says", () => {
  it.each([
    [{ state: "uploading" }, false, /hasn't arrived/],
    [{ state: "waiting" }, false, /waits for a worker/],
    [{ state: "waiting", stream: "e" }, false, /from the beginning.*waits for a worker/],
    [{ state: "waiting", stream: "e" }, true, /rest isn't encoded yet.*worker/],
    [{ state: "encoding" }, false, /is being encoded/],
    [{ state: "encoding", stream: "e" }, false, /from the beginning/],
    [{ state: "encoding", stream: "e" }, true, /still being encoded/],
    [{ state: "failed" }, false, /couldn't be encoded\. Whoever sent it/],
    [{ state: "cancelled" }, false, /cancelled/],
    [{ state: "ready", stream: "e" }, false, /^$/],
  ] as const)("of %j", (part, starved, text) => {
    expect(noticeOf(status(part), { starved, withdrawn: false })).toMatch(text);
  });

  it.each([
    [{ state: "waiting" }, /encoded anew.*waits for a worker/],
    [{ state: "encoding" }, /encoded anew.*as soon as its beginning/],
    [{ state: "failed" }, /couldn't be encoded/],
  ] as const)("of %j where a stream was taken back", (part, text) => {
    expect(noticeOf(status(part), { starved: false, withdrawn: true })).toMatch(text);
  });

  it("stays the same while the share grows", () => {
    const at = (fraction: number) => noticeOf(status({ fraction }), { starved: false, withdrawn: false });
    expect(at(0.1)).toBe(at(0.9));
  });
});
