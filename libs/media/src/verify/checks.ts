import { averageBitrate, peakBitrate } from "../bitrate.ts";
import { targetDuration } from "../hls.ts";
import type { Check, EncodePlan, TrackResult } from "../types.ts";
import { unquoted } from "./hls-playlists.ts";
import { keyFramePlaylist } from "./key-frame-playlist.ts";
import type { StreamFacts, TrackFacts } from "./stream-facts.ts";
import { check, failed, noted, passed, type Verdict } from "./verdict.ts";

/** A stream may lack this part of the planned frames, where the source is damaged; more is a fault. */
const leastPart = 0.9;
/** Rounded to six digits, lengths in playlists may be off by this. */
const roundingSeconds = 0.000_001;
/** Sound and pictures begin together, and renditions end together, but for the rounding of their time scales. */
const apartSeconds = 0.001;
/** Sound and pictures should end together; more is noted. */
const raggedSeconds = 1;
/** A stream whose peak is above this times its average is hard to buffer (Apple's authoring specification). */
const peakFactor = 2;

/** Judges a finished stream. Pure: what was read of it is in `facts`. */
export function checkStream(plan: EncodePlan, facts: StreamFacts): Check[] {
  const video = facts.tracks.filter(({ kind }) => kind === "video");
  return [
    ...facts.tracks.flatMap((track) => [files(track), continuity(track), configuration(track)]),
    ...video.map((track) => frameCount(track, plan)),
    keyFrameTimes(video),
    start(facts.tracks),
    durations(facts.tracks),
    ...facts.tracks.map(hlsPlaylist),
    ...video.map(keyFramePlaylist),
    hlsMaster(facts),
    dashManifest(facts),
    ...facts.tracks.flatMap((track) => bandwidth(track, facts)),
    seams(facts),
  ];
}

/** Whether a stream may be published. */
export function isPassed(checks: Check[]): boolean {
  return checks.every(({ outcome }) => outcome !== "failed");
}

function files({ made, segments, kind }: TrackFacts): Check {
  const verdict = (): Verdict => {
    if (segments.length !== made.segments.length) {
      return failed(`there are ${segments.length} segments instead of ${made.segments.length}`);
    }
    for (const [index, { problem, bytes }] of segments.entries()) {
      const at = kind === "video" ? [index + 1] : [];
      if (problem) return failed(`segment ${index + 1}: ${problem}`, at);
      const wanted = made.segments[index]?.bytes;
      if (bytes !== wanted) return failed(`segment ${index + 1} has ${bytes} bytes instead of ${wanted}`, at);
    }
    return passed(`${segments.length} segments, all there with their lengths`);
  };
  return check("files", made.name, verdict());
}

function continuity({ made, segments, kind }: TrackFacts): Check {
  let next = made.start;
  for (const [index, { head }] of segments.entries()) {
    if (!head) continue;
    const number = index + 1;
    const fault =
      head.number !== number
        ? `segment ${number} says that it is ${head.number}`
        : head.decodeTime !== next
          ? `segment ${number} starts at ${head.decodeTime} instead of ${next}`
          : undefined;
    // The one before may be too long, or this one wrong.
    const at = kind === "video" ? [...(index > 0 ? [index] : []), number] : [];
    if (fault !== undefined) return check("continuity", made.name, failed(fault, at));
    next = head.decodeTime + lengthOf(head);
  }
  return check("continuity", made.name, passed("each segment begins where the one before ends"));
}

function configuration({ made, initSha256, entry, kind }: TrackFacts): Check {
  const wanted = made.initSha256;
  const codecs = unquoted(entry?.attributes.get("CODECS"));
  const verdict = (): Verdict => {
    if (wanted && wanted.length > 0 && Buffer.compare(wanted, initSha256) !== 0) {
      return failed(
        "the initialisation segment is not the one that its chunks were made with",
        kind === "video" ? [1] : [],
      );
    }
    if (kind === "video" && entry && !codecs.split(",").includes(made.codecs)) {
      return failed(`the playlist says ${codecs} of ${made.codecs}`);
    }
    return passed(`one configuration for all chunks: ${made.codecs}`);
  };
  return check("configuration", made.name, verdict());
}

function frameCount({ made, segments }: TrackFacts, plan: EncodePlan): Check {
  const frames = segments.reduce((sum, { head }) => sum + (head?.samples.length ?? 0), 0);
  const wrong = segments.flatMap(({ head }, index) => {
    const stated = made.segments[index]?.frames ?? 0;
    return stated > 0 && head?.samples.length !== stated ? [index + 1] : [];
  });
  const planned = plan.complete === false ? 0 : (plan.video?.frameCount ?? 0);
  const verdict = (): Verdict => {
    if (frames !== made.frames) return failed(`${frames} frames instead of ${made.frames}`, wrong);
    if (planned === 0 || frames === planned) return passed(`${frames} frames`);
    if (frames > planned) return failed(`${frames} frames, more than the source's ${planned}`);
    if (frames < planned * leastPart) return failed(`${frames} frames of the source's ${planned}`);
    return noted(`${frames} frames of the source's ${planned}: the others could not be decoded`);
  };
  return check("frame-count", made.name, verdict());
}

function keyFrameTimes(video: TrackFacts[]): Check {
  const starts = video.map(({ segments }) => segments.map(({ head }) => head?.decodeTime).join());
  const without = video.flatMap(({ made, segments }) =>
    segments.flatMap(({ startsWithKey }, index) => (startsWithKey ? [] : [`${made.name}/${index + 1}`])),
  );
  const withoutAt = [
    ...new Set(
      video.flatMap(({ segments }) =>
        segments.flatMap(({ startsWithKey }, index) => (startsWithKey ? [] : [index + 1])),
      ),
    ),
  ];
  const counts = new Set(video.map(({ made }) => made.frames));
  const verdict = (): Verdict => {
    if (without.length > 0)
      return failed(`segments do not start with an IDR picture: ${without.slice(0, 5).join(", ")}`, withoutAt);
    if (new Set(starts).size > 1) return failed("segments start at different times in different renditions");
    if (counts.size > 1) return failed(`renditions differ in frames: ${[...counts].join(", ")}`);
    return passed("every segment starts with an IDR picture, at the same time in every rendition");
  };
  return check("key-frame-times", "", verdict());
}

/** Presentation of every track begins at 0: what the edit list takes off is what the first sample is late. */
function start(tracks: TrackFacts[]): Check {
  const offsets = tracks.map(({ made, segments, skip, kind }) => {
    const head = segments[0]?.head;
    if (!head) return 0;
    const first = head.samples.reduce(
      (state, sample) => ({
        at: state.at + sample.duration,
        earliest: Math.min(state.earliest, state.at + sample.compositionOffset),
      }),
      { at: head.decodeTime, earliest: Number.POSITIVE_INFINITY },
    ).earliest;
    // Sound before 0 is the encoder's own and is skipped.
    return kind === "audio" ? head.decodeTime / made.timescale : (first - skip) / made.timescale;
  });
  const apart = Math.max(0, ...offsets) - Math.min(0, ...offsets);
  const detail = `sound and pictures begin within ${(apart * 1000).toFixed(1)} ms`;
  return check("av-offset", "", apart <= apartSeconds ? passed(detail) : failed(detail));
}

function durations(tracks: TrackFacts[]): Check {
  const ends = tracks.map(({ made, segments, skip, kind }) => {
    const ticks = segments.reduce((sum, { head }) => sum + (head ? lengthOf(head) : 0), made.start);
    return { name: made.name, kind, seconds: (ticks - (kind === "audio" ? skip : 0)) / made.timescale };
  });
  const spread = (some: typeof ends) => {
    const all = some.map(({ seconds }) => seconds);
    return Math.max(0, ...all) - Math.min(Number.POSITIVE_INFINITY, ...all);
  };
  const detail = ends.map(({ name, seconds }) => `${name} ${seconds.toFixed(3)} s`).join(", ");
  // Renditions show the same pictures.
  if (spread(ends.filter(({ kind }) => kind === "video")) > apartSeconds) return check("durations", "", failed(detail));
  // A source's own tracks may differ in length.
  return check("durations", "", spread(ends) <= raggedSeconds ? passed(detail) : noted(detail));
}

function hlsPlaylist({ made, playlist, segments }: TrackFacts): Check {
  const verdict = (): Verdict => {
    if (!playlist) return failed("the multivariant playlist does not name it, or its playlist is missing");
    const [problem] = playlist.problems;
    if (problem) return failed(problem);
    if (!playlist.isComplete) return failed("EXT-X-ENDLIST is missing");
    if (playlist.segments.length !== segments.length)
      return failed(`it names ${playlist.segments.length} segments of ${segments.length}`);
    for (const [index, { seconds }] of playlist.segments.entries()) {
      const head = segments[index]?.head;
      const length = head ? lengthOf(head) / made.timescale : seconds;
      if (Math.abs(length - seconds) > roundingSeconds)
        return failed(`segment ${index + 1} lasts ${length} s, not ${seconds} s`);
    }
    return passed(`${segments.length} segments with their true lengths, none above ${playlist.targetDuration} s`);
  };
  return check("hls-playlist", made.name, verdict());
}

function hlsMaster({ master, tracks }: StreamFacts): Check {
  const [problem] = master.problems;
  const video = tracks.filter(({ kind }) => kind === "video");
  const wrong = video.find(
    ({ made, entry }) => entry && entry.attributes.get("RESOLUTION") !== `${made.width}x${made.height}`,
  );
  const verdict = (): Verdict => {
    if (problem) return failed(problem);
    if (wrong)
      return failed(`${wrong.made.name} states another RESOLUTION than ${wrong.made.width}x${wrong.made.height}`);
    if (master.variants.length !== video.length)
      return failed(`it has ${master.variants.length} variants of ${video.length}`);
    return passed(`${master.variants.length} variants`);
  };
  return check("hls-master", "", verdict());
}

function dashManifest({ manifest, tracks }: StreamFacts): Check {
  const verdict = (): Verdict => {
    const [problem] = manifest.problems;
    if (problem) return failed(problem);
    if (!manifest.isStatic) return failed("it is not static");
    for (const { made, segments } of tracks) {
      const track = manifest.tracks.find(({ id }) => id === made.name);
      if (!track) return failed(`${made.name} is missing`);
      if (track.codecs !== made.codecs) return failed(`${made.name} states ${track.codecs}, not ${made.codecs}`);
      if (track.timescale !== made.timescale) return failed(`${made.name} states another timescale`);
      if (track.segments.length !== segments.length)
        return failed(`${made.name} has ${track.segments.length} segments of ${segments.length}`);
      const different = segments.findIndex(({ head }, index) => {
        const stated = track.segments[index];
        return head && (stated?.start !== head.decodeTime || stated.duration !== lengthOf(head));
      });
      if (different >= 0) return failed(`${made.name}: segment ${different + 1} has another time than stated`);
    }
    return passed("every segment is at its time");
  };
  return check("dash-manifest", "", verdict());
}

/** Compares what playlist and manifest state with what the segments weigh. */
function bandwidth(track: TrackFacts, { tracks, manifest }: StreamFacts): Check[] {
  const { made, kind, entry } = track;
  const measured = asMeasured(track);
  const target = targetDuration(measured);
  const [peak, average] = [peakBitrate(measured, target), averageBitrate(measured)];
  const sound = tracks.filter((other) => other.kind === "audio").map(asMeasured);
  const most = (rates: number[]) => rates.reduce((highest, rate) => Math.max(highest, rate), 0);
  const withSound = {
    peak: peak + most(sound.map((one) => peakBitrate(one, targetDuration(one)))),
    average: average + most(sound.map(averageBitrate)),
  };
  const declared = (name: string) => Number(entry?.attributes.get(name));
  const dash = manifest.tracks.find(({ id }) => id === made.name)?.bandwidth ?? 0;
  const verdict = (): Verdict => {
    if (dash < peak) return failed(`the manifest states ${dash} bit/s; the peak is ${peak}`);
    if (kind === "video" && entry) {
      if (!(declared("BANDWIDTH") >= withSound.peak))
        return failed(`BANDWIDTH is ${declared("BANDWIDTH")}; the peak with sound is ${withSound.peak}`);
      // Rounded up for each track.
      if (Math.abs(declared("AVERAGE-BANDWIDTH") - withSound.average) > 2)
        return failed(`AVERAGE-BANDWIDTH is ${declared("AVERAGE-BANDWIDTH")}; it is ${withSound.average}`);
    }
    return passed(`peak ${peak} bit/s, average ${average} bit/s`);
  };
  const factor = average > 0 ? peak / average : 0;
  const detail = `the peak is ${(factor * 100).toFixed(0)} % of the average`;
  const peaks =
    kind === "video" ? [check("peak", made.name, factor <= peakFactor ? passed(detail) : noted(detail))] : [];
  return [check("declared-bandwidth", made.name, verdict()), ...peaks];
}

function seams({ seams: looked }: StreamFacts): Check {
  const verdict = (): Verdict => {
    for (const { track, segment, expectedTimes, decodedTimes, errors } of looked) {
      const place = `${track}, before segment ${segment}`;
      const at = [segment - 1, segment];
      if (errors > 0) return failed(`${place}: ${errors} pictures cannot be decoded`, at);
      if (decodedTimes.length !== expectedTimes.length)
        return failed(`${place}: ${decodedTimes.length} pictures instead of ${expectedTimes.length}`, at);
      const wrong = decodedTimes.findIndex((time, index) => time !== expectedTimes[index]);
      if (wrong >= 0)
        return failed(`${place}: a picture is shown at ${decodedTimes[wrong]} instead of ${expectedTimes[wrong]}`, at);
    }
    return passed(`${looked.length} seams between chunks decoded, every picture at its time`);
  };
  return check("seams", "", verdict());
}

function asMeasured({ made, segments }: TrackFacts): TrackResult {
  return {
    ...made,
    segments: segments.map(({ head, bytes }, index) => ({
      duration: head ? lengthOf(head) : (made.segments[index]?.duration ?? 0),
      bytes,
    })),
  };
}

function lengthOf(head: { samples: { duration: number }[] }): number {
  return head.samples.reduce((sum, { duration }) => sum + duration, 0);
}
