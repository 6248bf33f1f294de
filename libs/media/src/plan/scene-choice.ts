import type { SceneChange } from "../types.ts";
import type { PossibleCut } from "./chunks.ts";
import { firstAtOrAbove } from "./frame-lookup.ts";

/** Chooses the scene that a chunk begins with: of those near a cut the surest one, or of those that are equally sure the nearest. Gives its PTS; undefined if none is near. */
export function createSceneChoice(scenes: readonly SceneChange[]): (cut: PossibleCut) => bigint | undefined {
  const rising = scenes.toSorted((one, other) => (one.pts < other.pts ? -1 : one.pts > other.pts ? 1 : 0));
  const times = rising.map(({ pts }) => pts);
  return ({ pts: cut, slack }) => {
    let best: { pts: bigint; value: number } | undefined;
    for (let at = firstAtOrAbove(times, cut - slack); at < rising.length; at++) {
      const { pts = 0n, score = 0 } = rising[at] ?? {};
      if (pts > cut + slack) break;
      const distance = pts > cut ? pts - cut : cut - pts;
      const value = score * (1 - Number(distance) / (2 * Number(slack) + 1));
      if (best === undefined || value > best.value) best = { pts, value };
    }
    return best?.pts;
  };
}
