import { av1Codecs, av1Configuration, av1Sample, isAv1KeySample } from "./av1.ts";
import { avcCodecs, avcConfiguration, avcSample, isIdrSample } from "./avc.ts";
import { hevcCodecs, hevcConfiguration, hevcSample, isHevcIdrSample } from "./hevc.ts";

/** A codec that renditions may have. */
export type VideoCodec = "h264" | "hevc" | "av1";

/** How MP4 carries a codec. */
export type CodecBinding = {
  /** Type of the sample entry, and of the box with the decoder's configuration in it. */
  entry: "avc1" | "hvc1" | "av01";
  record: "avcC" | "hvcC" | "av1C";
  /** That configuration, from what the encoder says when it is opened and its first key frame. Throws a RangeError if it isn't there. */
  configuration(extraData: Buffer, keyFrame: Buffer): Buffer;
  /** The codecs string (RFC 6381) of a configuration. */
  codecs(configuration: Buffer): string;
  /** An encoder's frame as a sample. */
  sample(frame: Buffer): Buffer;
  /** Whether decoding can start with a sample, and nothing after it refers to what was before. Throws a RangeError for a broken one. */
  isKey(sample: Buffer): boolean;
};

export const codecBindings: Record<VideoCodec, CodecBinding> = {
  h264: {
    entry: "avc1",
    record: "avcC",
    configuration: avcConfiguration,
    codecs: avcCodecs,
    sample: avcSample,
    isKey: isIdrSample,
  },
  hevc: {
    entry: "hvc1",
    record: "hvcC",
    configuration: hevcConfiguration,
    codecs: hevcCodecs,
    sample: hevcSample,
    isKey: isHevcIdrSample,
  },
  av1: {
    entry: "av01",
    record: "av1C",
    configuration: (_, keyFrame) => av1Configuration(keyFrame),
    codecs: av1Codecs,
    sample: av1Sample,
    isKey: isAv1KeySample,
  },
};
