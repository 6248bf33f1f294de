/** What the HLS playlists of a stream say (RFC 8216 and its successor draft), as far as it is checked. */

/** A variant or a rendition of sound, with its playlist's address as written. */
export type HlsEntry = { uri: string; attributes: Map<string, string> };

export type HlsMaster = { variants: HlsEntry[]; media: HlsEntry[]; iframes: HlsEntry[]; problems: string[] };

/** A media playlist; lengths in seconds. */
export type HlsMedia = {
  targetDuration: number;
  map: string;
  segments: { uri: string; seconds: number; range?: { length: number; start: number } }[];
  isComplete: boolean;
  isIframesOnly: boolean;
  problems: string[];
};

/** Reads a multivariant playlist, and names what the rules don't allow. */
export function readHlsMaster(text: string): HlsMaster {
  const lines = linesOf(text);
  const problems = headProblems(lines);
  const master: HlsMaster = { variants: [], media: [], iframes: [], problems };
  for (const [index, line] of lines.entries()) {
    const attributes = attributesOf(line);
    const uri = unquoted(attributes.get("URI"));
    if (line.startsWith("#EXT-X-STREAM-INF:")) master.variants.push({ uri: lines[index + 1] ?? "", attributes });
    if (line.startsWith("#EXT-X-MEDIA:")) master.media.push({ uri, attributes });
    if (line.startsWith("#EXT-X-I-FRAME-STREAM-INF:")) master.iframes.push({ uri, attributes });
  }
  if (!lines.includes("#EXT-X-INDEPENDENT-SEGMENTS")) problems.push("EXT-X-INDEPENDENT-SEGMENTS is missing");
  if (master.variants.length === 0) problems.push("there is no variant");
  for (const { uri, attributes } of master.variants) {
    if (uri === "" || uri.startsWith("#")) problems.push("a variant has no address");
    for (const name of ["BANDWIDTH", "AVERAGE-BANDWIDTH", "CODECS", "RESOLUTION", "FRAME-RATE"]) {
      if (!attributes.has(name)) problems.push(`${uri} states no ${name}`);
    }
    const group = attributes.get("AUDIO");
    if (group !== undefined && !master.media.some((entry) => entry.attributes.get("GROUP-ID") === group)) {
      problems.push(`${uri} names a group of sound that is not there`);
    }
  }
  for (const { uri, attributes } of master.iframes) {
    if (!attributes.has("BANDWIDTH") || uri === "") problems.push("an I-frame playlist lacks BANDWIDTH or its address");
  }
  return master;
}

/** Reads a media playlist, and names what the rules don't allow. */
export function readHlsMedia(text: string): HlsMedia {
  const lines = linesOf(text);
  const problems = headProblems(lines);
  const tagOf = (tag: string) => lines.find((line) => line.startsWith(`${tag}:`))?.slice(tag.length + 1);
  const map = unquoted(attributesOf(lines.find((line) => line.startsWith("#EXT-X-MAP:")) ?? "").get("URI"));
  const media: HlsMedia = {
    targetDuration: Number(tagOf("#EXT-X-TARGETDURATION")),
    map,
    segments: [],
    isComplete: lines.includes("#EXT-X-ENDLIST"),
    isIframesOnly: lines.includes("#EXT-X-I-FRAMES-ONLY"),
    problems,
  };
  let seconds: number | undefined;
  let range: { length: number; start: number } | undefined;
  for (const line of lines) {
    if (line.startsWith("#EXTINF:")) seconds = Number.parseFloat(line.slice(8));
    const bytes = /^#EXT-X-BYTERANGE:(\d+)@(\d+)$/.exec(line);
    if (bytes) range = { length: Number(bytes[1]), start: Number(bytes[2]) };
    if (line.startsWith("#")) continue;
    if (seconds === undefined) problems.push(`${line} has no EXTINF`);
    media.segments.push({ uri: line, seconds: seconds ?? 0, ...(range ? { range } : {}) });
    seconds = undefined;
    range = undefined;
  }
  if (!Number.isInteger(media.targetDuration) || media.targetDuration < 1)
    problems.push("EXT-X-TARGETDURATION is missing");
  if (map === "") problems.push("EXT-X-MAP is missing");
  if (media.segments.length === 0) problems.push("there is no segment");
  const tooLong = media.segments.find((segment) => Math.round(segment.seconds) > media.targetDuration);
  if (tooLong) problems.push(`${tooLong.uri} is longer than EXT-X-TARGETDURATION`);
  return media;
}

function linesOf(text: string): string[] {
  return text.split(/\r?\n/).filter((line) => line !== "");
}

function headProblems(lines: string[]): string[] {
  const problems = lines[0] === "#EXTM3U" ? [] : ["it does not begin with EXTM3U"];
  const version = Number(lines.find((line) => line.startsWith("#EXT-X-VERSION:"))?.slice(15));
  // EXT-X-MAP in a playlist of more than I-frames needs 6.
  if (!(version >= 6)) problems.push("EXT-X-VERSION is too low");
  return problems;
}

/** The attributes of a tag; values as written, with their quotes. */
function attributesOf(line: string): Map<string, string> {
  const list = line.slice(line.indexOf(":") + 1);
  return new Map([...list.matchAll(/([A-Z0-9-]+)=("[^"]*"|[^,]*)/g)].map(([, name = "", value = ""]) => [name, value]));
}

export function unquoted(value: string | undefined): string {
  return (value ?? "").replace(/^"(.*)"$/, "$1");
}
