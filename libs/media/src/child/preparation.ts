import type { Frame } from "node-av/lib";
import type { VideoPlan } from "../types.ts";
import { type Filter, frameKey, openFilter } from "./filter.ts";
import { pictureChain } from "./picture-chain.ts";

/** A picture that is ready for the renditions, and its time on the stream's timeline. */
export type PreparedPicture = { picture: Frame; ticks: number };

/**
 * Puts decoded pictures, whose `pts` are ticks, through the filters that all renditions share. A source may change its size or format on the way: then the filters are emptied
 * and set up anew.
 */
export function createPreparation(plan: VideoPlan, timescale: number) {
  let open: { key: string; filter: Filter | undefined } | undefined;

  async function* through(filter: Filter, frame: Frame | null): AsyncGenerator<PreparedPicture, void, undefined> {
    const { num, den } = filter.timeBase;
    // A deinterlacer counts in halves.
    for await (const picture of filter.push(frame)) {
      yield { picture, ticks: Math.round((Number(picture.pts) * num * timescale) / den) };
    }
  }
  return {
    /** Takes a picture and gives what is ready; `null` after the last one gives what is left. The receiver frees the pictures. */
    async *push(frame: Frame | null): AsyncGenerator<PreparedPicture, void, undefined> {
      const key = frame && frameKey(frame);
      if (open && key !== open.key) {
        if (open.filter) {
          yield* through(open.filter, null);
          open.filter.close();
        }
        open = undefined;
      }
      if (!frame || key === null) return;
      if (!open) {
        const chain = pictureChain(plan, frame.colorTrc === 18 ? "arib-std-b67" : "smpte2084");
        const filter = chain === "" ? undefined : await openFilter(frame, { num: 1, den: timescale }, chain);
        open = { key, filter };
      }
      if (open.filter) yield* through(open.filter, frame);
      else yield { picture: frame, ticks: Number(frame.pts) };
    },
  };
}
