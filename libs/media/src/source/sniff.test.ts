import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sniff } from "./sniff.ts";

const bytes = (...parts: (string | number[])[]) =>
  Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : Buffer.from(part))));
const say = (head: Buffer) => sniff(head, head.length);

describe("sniff", () => {
  it.each([
    ["nothing", bytes(), /empty/],
    ["zeros", Buffer.alloc(4096), /zeros/],
    ["PNG", bytes([0x89], "PNG\r\n", [0x1a], "\n....IHDR"), /picture \(PNG\)/],
    ["JPEG", bytes([0xff, 0xd8, 0xff, 0xe0]), /picture \(JPEG\)/],
    ["GIF", bytes("GIF89a", [1, 0, 1, 0]), /picture \(GIF\)/],
    ["WebP", bytes("RIFF", [1, 2, 3, 4], "WEBPVP8 "), /picture \(WebP\)/],
    ["HEIC", bytes([0, 0, 0, 24], "ftypheic"), /picture \(HEIF\)/],
    ["AVIF", bytes([0, 0, 0, 24], "ftypavif"), /picture \(AVIF\)/],
    ["WAV", bytes("RIFF", [1, 2, 3, 4], "WAVEfmt "), /only audio/],
    ["MP3", bytes("ID3", [4, 0, 0]), /only audio/],
    ["PDF", bytes("%PDF-1.7"), /PDF/],
    ["ZIP", bytes("PK", [3, 4, 20, 0]), /ZIP/],
    ["text", bytes("Dear diary,\n\ntoday …"), /text file/],
    ["UTF-16 text", bytes([0xff, 0xfe], [0x48, 0, 0x69, 0]), /text file/],
    ["M3U8", bytes("#EXTM3U\n#EXTINF:4,\nfile:///etc/passwd\n"), /playlist \(M3U\)/],
    [
      "M3U8 behind a byte order mark",
      bytes([0xef, 0xbb, 0xbf], "#EXTM3U\nhttp://169.254.169.254/\n"),
      /playlist \(M3U\)/,
    ],
    ["MPD", bytes('<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011">'), /DASH manifest/],
    ["ffconcat", bytes("ffconcat version 1.0\nfile /etc/passwd\n"), /list for joining/],
    ["concat without a header", bytes("file '/etc/passwd'\n"), /list for joining/],
    ["SDP", bytes("v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n"), /SDP/],
    ["HTML", bytes("<!DOCTYPE html><html>"), /web page/],
  ])("names %s", (_, head, sentence) => {
    expect(say(head)).toMatch(sentence);
    expect(say(head)).toMatch(/^[A-Z].*\.$/s);
  });

  it.each([
    ["MP4", bytes([0, 0, 0, 32], "ftypisom", [0, 0, 2, 0])],
    ["QuickTime without ftyp", bytes([0, 0, 0, 8], "wide", [0, 0, 0, 0], "mdat")],
    ["Matroska", bytes([0x1a, 0x45, 0xdf, 0xa3, 0x01, 0, 0, 0, 0, 0, 0, 0x23])],
    ["AVI", bytes("RIFF", [1, 2, 3, 4], "AVI LIST")],
    ["MPEG-TS", bytes([0x47, 0x40, 0, 0x10, 0, 0, 0xb0, 0x0d])],
    ["Ogg", bytes("OggS", [0, 2, 0, 0])],
    ["FLV", bytes("FLV", [1, 5, 0, 0, 0, 9])],
  ])("lets %s through", (_, head) => {
    expect(say(head)).toBeUndefined();
  });

  it("does not take a character that is cut at the head's end for something else than text", () => {
    const head = bytes("ä".repeat(100)).subarray(0, 99);
    expect(sniff(head, 200)).toMatch(/text file/);
    expect(sniff(head, 99)).toBeUndefined();
  });

  it("never throws", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (head) => {
        const sentence = say(Buffer.from(head));
        expect(sentence === undefined || sentence.endsWith(".")).toBe(true);
      }),
    );
  });
});
