import type { TrackResult } from "@kinora/media";
import { waitUntil } from "@kinora/testing";
import { expect, it } from "vitest";
import { createGrowth } from "./growth.ts";

const track = (segments: number) =>
  ({
    name: "audio",
    segments: Array.from({ length: segments }, () => ({ duration: 1, bytes: 1, frames: 47 })),
  }) as TrackResult;

it("tells of segments only once they and all before them have arrived, and not of each alone", async () => {
  const told: { segments: number; frames: number }[] = [];
  const growth = createGrowth({
    tell: async ({ segments, frames }) => void told.push({ segments: segments.length, frames }),
    onFailure: (error) => expect.unreachable(String(error)),
  });
  growth.made(track(1));
  growth.uploaded("audio/2.m4s");
  growth.uploaded("audio/1.m4s");
  expect(told).toEqual([]);
  growth.uploaded("audio/init.mp4");
  expect(told).toEqual([{ segments: 1, frames: 47 }]);
  growth.made(track(4));
  growth.uploaded("audio/4.m4s");
  growth.uploaded("audio/3.m4s");
  await waitUntil("the rest is told", () => told.length > 1);
  expect(told).toEqual([
    { segments: 1, frames: 47 },
    { segments: 4, frames: 188 },
  ]);
  growth.close();
});

it("reports a call that failed", async () => {
  const failures: unknown[] = [];
  const growth = createGrowth({
    tell: () => Promise.reject(new Error("the lease is lost")),
    onFailure: (error) => failures.push(error),
  });
  growth.made(track(1));
  for (const path of ["audio/init.mp4", "audio/1.m4s"]) growth.uploaded(path);
  await waitUntil("it is reported", () => failures.length > 0);
  expect(String(failures[0])).toContain("the lease is lost");
  growth.close();
});
