import type { Check } from "../types.ts";
import type { TrackFacts } from "./stream-facts.ts";
import { check, failed, passed, type Verdict } from "./verdict.ts";

/** Compares a rendition's playlist of key frames (RFC 8216, section 4.3.3.6) with where the first picture of each of its segments really ends. */
export function keyFramePlaylist({ made, keyFrames, segments }: TrackFacts): Check {
  const verdict = (): Verdict => {
    // Streams of earlier releases don't know.
    if (!keyFrames && made.segments.some(({ keyFrameBytes = 0 }) => keyFrameBytes === 0))
      return passed("there is none");
    if (!keyFrames) return failed("the multivariant playlist does not name it, or it is missing");
    const [problem] = keyFrames.problems;
    if (problem) return failed(problem);
    if (!keyFrames.isIframesOnly) return failed("EXT-X-I-FRAMES-ONLY is missing");
    if (!keyFrames.isComplete) return failed("EXT-X-ENDLIST is missing");
    if (keyFrames.segments.length !== segments.length) {
      return failed(`it names ${keyFrames.segments.length} key frames of ${segments.length}`);
    }
    for (const [index, { head }] of segments.entries()) {
      const [first] = head?.samples ?? [];
      if (!head || !first) continue; // has failed its check already
      const range = keyFrames.segments[index]?.range;
      const end = head.dataStart + first.size;
      if (range?.start !== 0 || range.length !== end) {
        return failed(`the first picture of segment ${index + 1} ends at ${end}, not at ${range?.length}`);
      }
    }
    return passed(`${segments.length} key frames, each where it says`);
  };
  return check("key-frame-playlist", made.name, verdict());
}
