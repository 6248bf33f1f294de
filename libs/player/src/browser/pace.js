import { clock } from "./time.js";

/** @typedef {import("../video-status.ts").VideoStatus} VideoStatus */

const percent = (/** @type {number} */ fraction) => `${Math.min(99, Math.floor(100 * fraction))} %`;

/**
 * How far an encode is, how fast, and how long it takes yet, as far as that is known: `43 % · 2.1× · 0:34 left`. A server of an earlier release tells the first alone.
 * @param {Partial<VideoStatus>} status
 */
export function paceOf({ fraction = 0, speed = 0, remainingSeconds }) {
  const parts = [percent(fraction)];
  if (speed > 0) parts.push(`${speed.toFixed(1)}×`);
  if (speed > 0 && remainingSeconds !== undefined) parts.push(`${clock(remainingSeconds)} left`);
  return parts.join(" · ");
}

/**
 * Each rendition and track of sound: `720p 43 % · audio done`.
 * @param {Partial<VideoStatus>} status
 */
export function tracksLine({ tracks = [] }) {
  return tracks.map(({ name, fraction }) => `${name} ${fraction >= 1 ? "done" : percent(fraction)}`).join(" · ");
}
