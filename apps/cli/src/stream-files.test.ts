import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pathOfReference, playlistReferences } from "./stream-files.ts";

const master = `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Audio",DEFAULT=YES,URI="audio/playlist.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS="avc1.64001f,mp4a.40.2",AUDIO="audio"
720p/playlist.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=2
360p/playlist.m3u8
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=3,URI="720p/iframes.m3u8"
`;
const media =
  '#EXTM3U\r\n#EXT-X-MAP:URI="init.mp4"\r\n#EXTINF:4,\r\n1.m4s\r\n\r\n# a comment\r\n#EXTINF:4,\r\n2.m4s\r\n1.m4s\r\n#EXT-X-ENDLIST\r\n';

describe("playlistReferences", () => {
  it("finds the playlists of a master playlist", () => {
    expect(playlistReferences(master)).toEqual(
      ["audio/playlist.m3u8", "720p/playlist.m3u8", "360p/playlist.m3u8", "720p/iframes.m3u8"].map((uri) => ({
        uri,
        kind: "playlist",
      })),
    );
  });

  it("finds the files of a media playlist, each once", () => {
    expect(playlistReferences(media)).toEqual(["init.mp4", "1.m4s", "2.m4s"].map((uri) => ({ uri, kind: "file" })));
  });

  it("refuses what is no playlist", () => {
    expect(() => playlistReferences("<html>")).toThrow("no HLS playlist");
  });
});

describe("pathOfReference", () => {
  it.each([
    ["master.m3u8", "720p/playlist.m3u8", "720p/playlist.m3u8"],
    ["v1/720p/playlist.m3u8", "1.m4s", "v1/720p/1.m4s"],
    ["", "poster.jpg", "poster.jpg"],
  ])("%s refers to %s as %s", (base, uri, path) => {
    expect(pathOfReference(base, uri)).toBe(path);
  });

  it.each([
    "../1.m4s",
    "a/../../1.m4s",
    "/etc/passwd",
    "http://elsewhere/1.m4s",
    "//elsewhere/1.m4s",
    "a\\..\\b",
    ".hidden",
    "a//b",
    "1.m4s?x=1",
    "%2e%2e/1.m4s",
    "",
  ])("refuses %j", (uri) => {
    expect(() => pathOfReference("720p/playlist.m3u8", uri)).toThrow("isn't a plain path");
  });

  it("never leads out of the folder", () => {
    const hostile = fc.array(fc.constantFrom("..", ".", "/", "\\", "a", "1.m4s", "http:", "%2e", "\0"), {
      maxLength: 8,
    });
    fc.assert(
      fc.property(hostile, (parts) => {
        let path: string;
        try {
          path = pathOfReference("track/playlist.m3u8", parts.join(""));
        } catch {
          return; // refused
        }
        expect(new URL(path, "file:///out/").pathname).toBe(`/out/${path}`);
        expect(path.startsWith("track/")).toBe(true);
      }),
    );
  });
});
