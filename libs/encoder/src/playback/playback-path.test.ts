import { isKey } from "@kinora/storage";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parsePlaybackPath } from "./playback-path.ts";

const video = "1b4e28ba-2fa1-11d2-883f-0016d3cca427";
const encode = "6fa459ea-ee8a-3ca4-894e-db77e160355e";

describe("parsePlaybackPath", () => {
  it.each([
    ["master.m3u8", "application/vnd.apple.mpegurl"],
    ["manifest.mpd", "application/dash+xml"],
    ["poster.jpg", "image/jpeg"],
    ["720p/playlist.m3u8", "application/vnd.apple.mpegurl"],
    ["720p/init.mp4", "video/mp4"],
    ["720p/17.m4s", "video/mp4"],
    ["audio/init.mp4", "audio/mp4"],
    ["audio/1.m4s", "audio/mp4"],
  ])("knows %s, of the video and of one of its streams", (file, contentType) => {
    expect(parsePlaybackPath(`/videos/${video}/${file}`)).toEqual({
      videoId: video,
      file,
      contentType,
      versioned: false,
    });
    expect(parsePlaybackPath(`/videos/${video}/${encode}/${file}`)).toEqual({
      videoId: video,
      encodeId: encode,
      file,
      contentType,
      versioned: true,
    });
  });

  it("knows files of an encode that has begun anew", () => {
    const of = (file: string) => parsePlaybackPath(`/videos/${video}/${encode}/${file}`);
    expect(of("2/720p/1.m4s")).toMatchObject({ edition: 2, file: "720p/1.m4s" });
    expect(of("10/720p/playlist.m3u8")).toMatchObject({ edition: 10, file: "720p/playlist.m3u8" });
    // A track may have a number for a name.
    expect(of("2/playlist.m3u8")).toEqual({ ...of("720p/playlist.m3u8"), file: "2/playlist.m3u8" });
  });

  it.each([
    `/videos/${video}`,
    `/videos/${video}/`,
    `/videos/${video}/source`,
    `/videos/${video}/video-master.m3u8`,
    `/videos/${video}/${encode}/1/720p/1.m4s`,
    `/videos/${video}/${encode}/2/master.m3u8`,
    `/videos/${video}/${encode}/02/720p/1.m4s`,
    `/videos/${video}/2/720p/1.m4s`,
    `/videos/${video}/720p/0.m4s`,
    `/videos/${video}/720p/1.m4s/`,
    `/videos/${video}/../${video}/master.m3u8`,
    `/videos/${video}/..%2fmaster.m3u8`,
    `/videos/${video}//master.m3u8`,
    `/videos/${video.toUpperCase()}/master.m3u8`,
    "/videos/x/master.m3u8",
    "/videos//master.m3u8",
  ])("refuses %s", (path) => {
    expect(parsePlaybackPath(path)).toBeUndefined();
  });

  it("never names a file that is no proper key", () => {
    const parts = fc.constantFrom(
      "..",
      ".",
      "/",
      "//",
      "master.m3u8",
      "720p",
      "1.m4s",
      "%2e",
      "\\",
      "\0",
      encode,
      video,
      "source",
      "x",
    );
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 8 }), (path) => {
        const found = parsePlaybackPath(`/videos/${video}/${path.join("")}`);
        if (found) expect(isKey(found.file) && !found.file.includes("..")).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
