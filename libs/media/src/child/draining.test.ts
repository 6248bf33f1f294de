import { expect, it } from "vitest";
import { createDraining } from "./draining.ts";

/** When it tells, at so many pictures a second; in pictures. */
function told(expected: number, perSecond: number): number[] {
  let frames = 0;
  const at: number[] = [];
  const draining = createDraining(
    expected,
    () => at.push(frames),
    () => (frames / perSecond) * 1000,
  );
  for (; frames < 200; frames++) draining.see(frames);
  draining.tell();
  return at;
}

it("tells once, half a second of work before the end", () => {
  expect(told(100, 60)).toEqual([71]);
  expect(told(100, 4)).toEqual([99]);
});

it("tells at once where all is less than that", () => {
  expect(told(10, 60)).toEqual([1]);
});

it("tells when the source is read where nobody knows how much there is", () => {
  expect(told(0, 60)).toEqual([200]);
});
