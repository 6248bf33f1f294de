/** The pure parts of encoding: what a source may become, and the playlists of what came of it. Never loads FFmpeg; `@kinora/media/task` starts the child process that does. */
export { type OutputColour, planColour } from "./colour.ts";
export { dashManifest } from "./dash.ts";
export { hlsKeyFrames, hlsMaster, hlsMedia } from "./hls.ts";
export { bdRate } from "./per-title/bd-rate.ts";
export { chooseLadder, type PerTitleLadder } from "./per-title/choose-ladder.ts";
export { type CurvePoint, convexHull, meanQuality, paretoFront, rateCurves } from "./per-title/rate-curve.ts";
export { planTrial } from "./per-title/trial-plan.ts";
export { segmentSlack } from "./plan/chunk-length.ts";
export { completePlan } from "./plan/complete-plan.ts";
export { type PlanDecision, planEncode } from "./plan/plan-encode.ts";
export { builtInProfiles, defaultProfile, type WholeSettings, wholeSettings } from "./plan/profiles.ts";
export { type PlaylistFile, playlistFiles } from "./playlist.ts";
export { planStoryboard, type StoryboardPlan, storyboardVtt } from "./storyboard.ts";
export type { Growing, StreamOptions } from "./stream-options.ts";
export { timescaleFor } from "./timescale.ts";
export { audioTracksOf, tracksOf } from "./tracks.ts";
export type {
  AudioPlan,
  AudioTrack,
  Check,
  ChunkPlan,
  ChunkResult,
  Damage,
  EncodePlan,
  EncodeSettings,
  Fleet,
  FrameTable,
  ImagesResult,
  LadderChoice,
  MediaInfo,
  Quality,
  RatePoint,
  Rational,
  RenditionPlan,
  Rung,
  SceneChange,
  Segment,
  Storyboard,
  StreamResult,
  TrackResult,
  TrialResult,
  VerificationReport,
  VideoPlan,
  VideoTrack,
} from "./types.ts";
