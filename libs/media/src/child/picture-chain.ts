import type { VideoPlan } from "../types.ts";

/**
 * The filters that prepare the source's pictures for all renditions, in FFmpeg's syntax; empty if they need none. Fields become frames first, since scaling and turning
 * would mix them. HDR is mapped at the largest rendition's size, since it is costly; without one, at the source's.
 */
export function pictureChain(plan: VideoPlan, transfer: string): string {
  return [
    ...(plan.deinterlace ? ["bwdif=mode=send_frame:deint=interlaced"] : []),
    ...(plan.toneMap ? toneMap(plan, transfer) : []),
    ...turn(plan.rotation),
  ].join(",");
}

/** To linear light (100 cd/m² reference white), BT.709 primaries, a curve that keeps mid-tones, and back. HDR is BT.2020, stated or not. */
function toneMap(plan: VideoPlan, transfer: string): string[] {
  const [largest] = plan.renditions;
  const isTurned = plan.rotation % 180 !== 0;
  const size = largest && (isTurned ? [largest.height, largest.width] : [largest.width, largest.height]);
  return [
    `setparams=color_primaries=bt2020:color_trc=${transfer}:colorspace=bt2020nc`,
    ...(size ? [`zscale=w=${size[0]}:h=${size[1]}`] : []),
    "zscale=t=linear:npl=100",
    "format=gbrpf32le",
    "zscale=p=bt709",
    "tonemap=tonemap=hable:desat=0",
    "zscale=t=bt709:m=bt709:r=limited",
    "format=yuv420p",
  ];
}

function turn(rotation: number): string[] {
  switch (rotation) {
    case 90:
      return ["transpose=clock"];
    case 180:
      return ["hflip", "vflip"];
    case 270:
      return ["transpose=cclock"];
    default:
      return [];
  }
}
