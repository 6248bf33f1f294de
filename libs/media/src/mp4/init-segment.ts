import { box, fullBox, u8, u16, u32, zeros } from "./box.ts";
import { codecBindings, type VideoCodec } from "./video-codec.ts";

/**
 * A track as its initialisation segment describes it. `skip` is what an edit list takes off the presentation times, in the track's timescale: the delay by reordering of video, the
 * samples that an audio encoder puts before the first real one.
 */
export type TrackHeader =
  | {
      kind: "video";
      codec: VideoCodec;
      timescale: number;
      width: number;
      height: number;
      /** The avcC, hvcC or av1C record. */
      configuration: Uint8Array;
      skip: number;
    }
  | {
      kind: "audio";
      /** Also the sample rate. */
      timescale: number;
      channels: number;
      bitrate: number;
      /** ISO 639-2 code; others are written as undetermined. */
      language: string;
      /** The AudioSpecificConfig. */
      configuration: Uint8Array;
      skip: number;
    };

/** Every stream has one track. */
export const trackId = 1;

/** Writes a CMAF header (ISO/IEC 23000-19): what a player needs before the first segment. */
export function initSegment(track: TrackHeader): Buffer {
  const brands = ["iso6", "cmfc", "mp41"].map((brand) => Buffer.from(brand, "latin1"));
  return Buffer.concat([
    box("ftyp", Buffer.from("iso6", "latin1"), u32(0), ...brands),
    box("moov", movieHeader(), trackBox(track), box("mvex", fullBox("trex", 0, 0, ...[trackId, 1, 0, 0, 0].map(u32)))),
  ]);
}

const unityMatrix = Buffer.concat([0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000].map(u32));

function movieHeader(): Buffer {
  const times = [0, 0, 1000, 0].map(u32); // Created, modified, timescale, duration: the fragments have it.
  return fullBox("mvhd", 0, 0, ...times, u32(0x10000), u16(0x100), zeros(10), unityMatrix, zeros(24), u32(trackId + 1));
}

function trackBox(track: TrackHeader): Buffer {
  const enabledInMovie = 3;
  const size = track.kind === "video" ? [u32(track.width * 0x10000), u32(track.height * 0x10000)] : [zeros(8)];
  const volume = u16(track.kind === "audio" ? 0x100 : 0);
  return box(
    "trak",
    fullBox(
      "tkhd",
      0,
      enabledInMovie,
      zeros(8),
      u32(trackId),
      zeros(16),
      zeros(4),
      volume,
      zeros(2),
      unityMatrix,
      ...size,
    ),
    ...(track.skip > 0 ? [editList(track.skip)] : []),
    box(
      "mdia",
      fullBox("mdhd", 0, 0, zeros(8), u32(track.timescale), zeros(4), languageCode(track), zeros(2)),
      fullBox("hdlr", 0, 0, zeros(4), Buffer.from(track.kind === "video" ? "vide" : "soun"), zeros(12), u8(0)),
      box(
        "minf",
        track.kind === "video" ? fullBox("vmhd", 0, 1, zeros(8)) : fullBox("smhd", 0, 0, zeros(4)),
        box("dinf", fullBox("dref", 0, 0, u32(1), fullBox("url ", 0, 1))),
        box(
          "stbl",
          fullBox("stsd", 0, 0, u32(1), track.kind === "video" ? videoEntry(track) : audioEntry(track)),
          fullBox("stts", 0, 0, u32(0)),
          fullBox("stsc", 0, 0, u32(0)),
          fullBox("stsz", 0, 0, u32(0), u32(0)),
          fullBox("stco", 0, 0, u32(0)),
        ),
      ),
    ),
  );
}

/** One edit that, since its duration is 0, lasts as long as the fragments do (ISO/IEC 14496-12, 8.6.6). */
function editList(skip: number): Buffer {
  return box("edts", fullBox("elst", 0, 0, u32(1), u32(0), u32(skip), u32(0x10000)));
}

/** Three letters of five bits each. */
function languageCode(track: TrackHeader): Buffer {
  const code = track.kind === "audio" && /^[a-z]{3}$/.test(track.language) ? track.language : "und";
  return u16([...code].reduce((packed, letter) => (packed << 5) | (letter.charCodeAt(0) - 0x60), 0));
}

function videoEntry(track: Extract<TrackHeader, { kind: "video" }>): Buffer {
  const { entry, record } = codecBindings[track.codec];
  return box(
    entry,
    ...[zeros(6), u16(1), zeros(16)],
    ...[
      u16(track.width),
      u16(track.height),
      u32(0x480000),
      u32(0x480000),
      zeros(4),
      u16(1),
      zeros(32),
      u16(24),
      u16(0xffff),
    ],
    box(record, track.configuration),
    box("pasp", u32(1), u32(1)),
  );
}

function audioEntry(track: Extract<TrackHeader, { kind: "audio" }>): Buffer {
  // A sample rate that needs more than 16 bits is 0 here; the configuration has it anyway.
  const rate = track.timescale < 0x10000 ? track.timescale * 0x10000 : 0;
  const aac = 0x40;
  const audioStream = 0x15;
  const decoder = descriptor(
    4,
    u8(aac),
    u8(audioStream),
    zeros(3),
    u32(track.bitrate),
    u32(track.bitrate),
    descriptor(5, track.configuration),
  );
  const elementary = descriptor(3, u16(0), u8(0), decoder, descriptor(6, u8(2)));
  return box(
    "mp4a",
    ...[zeros(6), u16(1), zeros(8)],
    ...[u16(track.channels), u16(16), zeros(4), u32(rate)],
    fullBox("esds", 0, 0, elementary),
  );
}

/** A descriptor of ISO/IEC 14496-1 shorter than 128 bytes. */
function descriptor(tag: number, ...content: Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  if (body.length > 127) throw new RangeError("an audio configuration this long is not AAC-LC's");
  return Buffer.concat([u8(tag), u8(body.length), body]);
}

/** The codecs string (RFC 6381) of an AudioSpecificConfig, such as `mp4a.40.2`. */
export function aacCodecs(configuration: Uint8Array): string {
  return `mp4a.40.${(configuration[0] ?? 0) >> 3}`;
}
