/**
 * What the first bytes say that rules a file out before FFmpeg sees it: a sentence for the person who sent it, or undefined for what may be a
 * video. Only well-known kinds have a sentence of their own, so that people learn what they sent; everything else is FFmpeg's to refuse.
 *
 * @param head the file's first bytes, up to 4096
 * @param size the file's length
 */
export function sniff(head: Buffer, size: number): string | undefined {
  if (size === 0) return "The file is empty.";
  if (head.every((byte) => byte === 0))
    return "The file starts with nothing but zeros: it is damaged or was never filled.";
  const kind = signatures.find((signature) => signature.matches(head));
  if (kind) return kind.sentence;
  const text = asText(head, size);
  return text === undefined ? undefined : textSentence(text);
}

const picture = (name: string) => `This file is a picture (${name}), not a video.`;
const onlyAudio = (name: string) => `This file contains only audio (${name}). Kinora needs a video track.`;
const other = (name: string) => `This file is ${name}, not a video.`;

const starts = (...bytes: (number | string)[]) => {
  const prefix = Buffer.concat(
    bytes.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : Buffer.from([part]))),
  );
  return (head: Buffer) => head.subarray(0, prefix.length).equals(prefix);
};
const riff = (type: string) => (head: Buffer) =>
  head.toString("latin1", 0, 4) === "RIFF" && head.toString("latin1", 8, 12) === type;
const brand =
  (...brands: string[]) =>
  (head: Buffer) =>
    head.toString("latin1", 4, 8) === "ftyp" && brands.includes(head.toString("latin1", 8, 12));

const signatures: { matches: (head: Buffer) => boolean; sentence: string }[] = [
  { matches: starts(0x89, "PNG\r\n", 0x1a, "\n"), sentence: picture("PNG") },
  { matches: starts(0xff, 0xd8, 0xff), sentence: picture("JPEG") },
  { matches: (head) => /^GIF8[79]a/.test(head.toString("latin1", 0, 6)), sentence: picture("GIF") },
  { matches: riff("WEBP"), sentence: picture("WebP") },
  { matches: (head) => starts("BM")(head) && head.length > 14 && head.readUInt32LE(6) === 0, sentence: picture("BMP") },
  { matches: (head) => starts("II*", 0)(head) || starts("MM", 0, "*")(head), sentence: picture("TIFF") },
  { matches: brand("heic", "heix", "mif1", "msf1", "heim", "heis"), sentence: picture("HEIF") },
  { matches: brand("avif", "avis"), sentence: picture("AVIF") },
  { matches: starts("8BPS"), sentence: picture("Photoshop") },
  { matches: riff("WAVE"), sentence: onlyAudio("WAV") },
  { matches: starts("ID3"), sentence: onlyAudio("MP3") },
  { matches: starts("fLaC"), sentence: onlyAudio("FLAC") },
  { matches: brand("M4A ", "M4B "), sentence: onlyAudio("M4A") },
  { matches: starts("#!AMR"), sentence: onlyAudio("AMR") },
  { matches: starts("%PDF"), sentence: other("a PDF document") },
  { matches: starts("PK", 3, 4), sentence: other("a ZIP archive or an office document") },
  { matches: starts("7z", 0xbc, 0xaf), sentence: other("a 7z archive") },
  { matches: starts("Rar!"), sentence: other("a RAR archive") },
  { matches: starts(0x1f, 0x8b), sentence: other("a compressed file (gzip)") },
  { matches: starts(0x7f, "ELF"), sentence: other("a program") },
];

/** The bytes as text, if they are such: UTF-8 (or UTF-16 with its mark) without control characters. */
function asText(head: Buffer, size: number): string | undefined {
  const wide = (head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff);
  const encoding = wide ? (head[0] === 0xff ? "utf-16le" : "utf-16be") : "utf-8";
  try {
    // A character may be cut where the head ends, but not where the file ends.
    const text = new TextDecoder(encoding, { fatal: true }).decode(head, { stream: head.length < size });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is these that text doesn't have
    return /[\x00-\x08\x0e-\x1a\x1c-\x1f]/.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

function textSentence(text: string): string {
  const names = "names other files instead of containing a video. Send the video itself.";
  const start = text.trimStart();
  if (/^#EXTM3U/i.test(start)) return `This file is a playlist (M3U) that ${names}`;
  if (/^(<\?xml[^>]*>\s*)?(<!--[\s\S]*?-->\s*)?<MPD[\s>]/i.test(start))
    return `This file is a DASH manifest that ${names}`;
  if (/^ffconcat version/i.test(start) || /^file\s+\S/m.test(start))
    return `This file is a list for joining files that ${names}`;
  if (/^\[playlist\]/i.test(start)) return `This file is a playlist (PLS) that ${names}`;
  if (/^v=0\r?\n/.test(start)) return `This file describes a network stream (SDP) and ${names}`;
  if (/^(<!doctype html|<html)/i.test(start)) return "This file is a web page, not a video.";
  return "This file is a text file, not a video.";
}
