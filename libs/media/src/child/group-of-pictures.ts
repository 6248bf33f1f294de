import type { Sample } from "../mp4/media-segment.ts";

/** A coded picture as the encoder gives it, in decoding order; `ticks` is its presentation time. */
export type CodedPicture = { data: Uint8Array; ticks: number; isKey: boolean };

/**
 * Makes samples of a closed group of pictures. The group is decoded from its first picture's time on and as long as it is shown, so that segments begin at the same decode
 * time in all renditions, whatever the encoder's B-frames. Composition offsets are raised by `shift`, which an edit list takes back: negative ones would say the same without
 * one, but FFmpeg's demuxer then shows all pictures late (`stream.test.ts`).
 *
 * @param end where the group's last picture ends: the next group's start
 * @param shift the longest delay by reordering, in ticks: two frames
 */
export function samplesOfGroup(
  pictures: CodedPicture[],
  end: number,
  shift: number,
): { decodeTime: number; samples: Sample[] } {
  const decodeTimes = pictures.map((picture) => picture.ticks).sort((one, other) => one - other);
  // Where frames are far apart (variable rates), a picture may be due before its place in the row: it and those before it are decoded earlier.
  let latest = Number.POSITIVE_INFINITY;
  for (let index = pictures.length - 1; index > 0; index--) {
    latest = Math.min(latest - 1, (pictures[index]?.ticks ?? 0) + shift, decodeTimes[index] ?? 0);
    decodeTimes[index] = latest;
  }
  const samples = pictures.map((picture, index) => {
    const decodeTime = decodeTimes[index] ?? 0;
    return {
      data: picture.data,
      duration: (decodeTimes[index + 1] ?? end) - decodeTime,
      compositionOffset: picture.ticks + shift - decodeTime,
      sync: picture.isKey,
    };
  });
  return { decodeTime: decodeTimes[0] ?? end, samples };
}
