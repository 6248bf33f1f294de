import { describe, expect, it } from "vitest";
import { paceOf, tracksLine } from "./pace.js";

describe("how far an encode is", () => {
  it.each([
    [{ fraction: 0.436, speed: 2.14, remainingSeconds: 34 }, "43 % · 2.1× · 0:34 left"],
    [{ fraction: 0.2, speed: 0 }, "20 %"],
    [{ fraction: 0.999, speed: 0.04, remainingSeconds: 3725 }, "99 % · 0.0× · 1:02:05 left"],
    [{ fraction: 0.5 }, "50 %"], // of a server of an earlier release
  ])("%j", (status, text) => {
    expect(paceOf(status)).toBe(text);
  });

  it("is told of each track", () => {
    const tracks = [
      { name: "720p", fraction: 0.436, speed: 2 },
      { name: "audio", fraction: 1, speed: 0 },
    ];
    expect(tracksLine({ tracks })).toBe("720p 43 % · audio done");
    expect(tracksLine({})).toBe("");
  });
});
