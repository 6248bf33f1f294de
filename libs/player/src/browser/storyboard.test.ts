import { describe, expect, it } from "vitest";
import { parseStoryboard, tileAt } from "./storyboard.js";

const vtt = `WEBVTT

00:00:00.000 --> 00:00:10.000
storyboard-1.jpg#xywh=0,0,160,90

01:00:10.000 --> 01:00:12.500
storyboard-2.jpg#xywh=160,90,160,90
`;

describe("a storyboard", () => {
  it("names a part of a picture for each time", () => {
    expect(parseStoryboard(vtt, "http://host/videos/v/e/storyboard.vtt")).toEqual([
      { start: 0, end: 10, url: "http://host/videos/v/e/storyboard-1.jpg", x: 0, y: 0, width: 160, height: 90 },
      {
        start: 3610,
        end: 3612.5,
        url: "http://host/videos/v/e/storyboard-2.jpg",
        x: 160,
        y: 90,
        width: 160,
        height: 90,
      },
    ]);
  });

  it("may have other line ends, no hours, settings, and cues that are no pictures", () => {
    const other =
      "WEBVTT\r\n\r\nNOTE by hand\r\n\r\n00:01.000 --> 00:02.000 align:start\r\na.jpg#xywh=1,2,3,4\r\n\r\n00:02.000 --> 00:03.000\r\nhello\r\n";
    expect(parseStoryboard(other, "http://host/")).toEqual([
      { start: 1, end: 2, url: "http://host/a.jpg", x: 1, y: 2, width: 3, height: 4 },
    ]);
  });

  it.each([
    [0, 0],
    [9.99, 0],
    [10, 3610],
    [99_999, 3610],
  ])("has a picture for second %d", (moment, start) => {
    expect(tileAt(parseStoryboard(vtt, "http://host/"), moment)?.start).toBe(start);
  });

  it("has none where there are none", () => {
    expect(tileAt([], 1)).toBeUndefined();
  });
});
