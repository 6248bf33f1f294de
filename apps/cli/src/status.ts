import { type Encode, EncodeState, type Video, VideoState } from "@kinora/proto-encoder";
import { formatPercent } from "./format.ts";

/** A state in a few words, and how it should look. */
export type Status = { text: string; tone: "good" | "bad" | "busy" | "plain" };

/** An encode's state for a person. */
export function encodeStatus(encode: Pick<Encode, "state" | "progress">): Status {
  switch (encode.state) {
    case EncodeState.QUEUED:
      return { text: "queued", tone: "busy" };
    case EncodeState.PROBING:
      return { text: "reading", tone: "busy" };
    case EncodeState.PLANNED:
      return { text: "planned", tone: "busy" };
    case EncodeState.ENCODING:
      return { text: `encoding ${formatPercent(Math.min(0.99, encode.progress?.fraction ?? 0))}`, tone: "busy" };
    case EncodeState.VERIFYING:
      return { text: "checking", tone: "busy" };
    case EncodeState.SUCCEEDED:
      return { text: "ready", tone: "good" };
    case EncodeState.FAILED:
      return { text: "failed", tone: "bad" };
    case EncodeState.CANCELLED:
      return { text: "cancelled", tone: "plain" };
    default:
      return { text: "unknown", tone: "plain" };
  }
}

/** A video's state for a person: its last encode's, or how much of it has arrived. */
export function videoStatus(video: Pick<Video, "state" | "latestEncode" | "uploadedBytes" | "sizeBytes">): Status {
  if (video.latestEncode) return encodeStatus(video.latestEncode);
  if (video.state === VideoState.UPLOADED) return { text: "sent, not encoded", tone: "plain" };
  const fraction = video.sizeBytes > 0n ? Number(video.uploadedBytes) / Number(video.sizeBytes) : 0;
  return { text: `sending ${formatPercent(fraction)}`, tone: "busy" };
}
