import type { EncodePlan, MediaInfo } from "@kinora/media";
import { expect, it } from "vitest";
import { tasksOfHead } from "./wanted-tasks.ts";

it("an analysis, which all chunks behind the head wait for, comes before all sound but the first track", () => {
  const track = (name: string) => ({ name, streamIndex: 1 });
  const plan = { segmentSeconds: 4, audioTracks: [track("en"), track("de"), track("fr")] } as EncodePlan;
  const media = { durationSeconds: 60 } as MediaInfo;
  const names = tasksOfHead(plan, media).map(({ kind, tracks = [] }) => [kind, ...tracks].join(" "));
  expect(names).toEqual(["audio en", "analyse", "audio de", "audio fr"]);
  const silent = tasksOfHead({ ...plan, audioTracks: [] }, media);
  expect(silent.map(({ kind }) => kind)).toEqual(["analyse"]);
});
