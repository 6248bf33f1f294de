/** A representation of a DASH manifest with the times of its segments, in units of `timescale`. */
export type DashTrack = {
  id: string;
  codecs: string;
  bandwidth: number;
  timescale: number;
  startNumber: number;
  segments: { start: number; duration: number }[];
};

/**
 * Reads a manifest as `dashManifest` writes it (ISO/IEC 23009-1, one period, SegmentTemplate with SegmentTimeline in each set), and names what is wrong with it. Not for manifests of
 * others: those need a parser of XML.
 */
export function readDashManifest(text: string): { isStatic: boolean; tracks: DashTrack[]; problems: string[] } {
  const problems: string[] = [];
  const isStatic = /<MPD\b[^>]*\btype="static"/.test(text);
  const tracks: DashTrack[] = [];
  if (!/<MPD\b[^>]*xmlns="urn:mpeg:dash:schema:mpd:2011"/.test(text)) problems.push("it is no MPD");
  if (isStatic && !/\bmediaPresentationDuration="PT[\d.]+S"/.test(text)) problems.push("it states no duration");
  if ((text.match(/<Period\b/g) ?? []).length !== 1) problems.push("it does not have one period");
  for (const [, set = ""] of text.matchAll(/<AdaptationSet\b([\s\S]*?)<\/AdaptationSet>/g)) {
    // Small pictures for seeking are no track to play.
    if (/\bcontentType="image"|\bmimeType="image/.test(set)) continue;
    const template = /<SegmentTemplate\b([^>]*)>/.exec(set)?.[1] ?? "";
    const timescale = Number(attribute(template, "timescale"));
    const startNumber = Number(attribute(template, "startNumber"));
    if (!(timescale > 0) || !(startNumber > 0))
      problems.push("a set has no SegmentTemplate with timescale and startNumber");
    const segments: DashTrack["segments"] = [];
    let at = 0;
    for (const [, entry = ""] of set.matchAll(/<S\b([^>]*)\/>/g)) {
      const start = attribute(entry, "t");
      const duration = Number(attribute(entry, "d"));
      if (start !== undefined) at = Number(start);
      for (let repeat = Number(attribute(entry, "r") ?? 0); repeat >= 0; repeat--) {
        segments.push({ start: at, duration });
        at += duration;
      }
    }
    for (const [, representation = ""] of set.matchAll(/<Representation\b([^>]*)>/g)) {
      const [id = "", codecs = ""] = [attribute(representation, "id"), attribute(representation, "codecs")];
      const bandwidth = Number(attribute(representation, "bandwidth"));
      if (id === "" || codecs === "" || !(bandwidth > 0))
        problems.push(`${id || "a representation"} lacks id, codecs or bandwidth`);
      tracks.push({ id, codecs, bandwidth, timescale, startNumber, segments });
    }
  }
  if (tracks.length === 0) problems.push("there is no representation");
  return { isStatic, tracks, problems };
}

function attribute(element: string, name: string): string | undefined {
  return new RegExp(`\\b${name}="([^"]*)"`).exec(element)?.[1];
}
