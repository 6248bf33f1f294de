/** An icon of 24 × 24 units, in the colour of the text around it. */
const svg = (name: string, path: string) =>
  `<svg class="${name}" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true"><path fill="currentColor" d="${path}"/></svg>`;

/** The icons of the player's buttons. */
export const icon = {
  play: svg("play", "M7 4v16l13-8z"),
  pause: svg("pause", "M6 4h4v16H6zM14 4h4v16h-4z"),
  sound: svg("sound", "M3 9h4l5-5v16l-5-5H3zM15 8q3 4 0 8l1.500 1.500q5-5.500 0-11z"),
  muted: svg("muted", "M3 9h4l5-5v16l-5-5H3zM15 9l6 6-1.500 1.500-6-6zM19.500 7.500L21 9l-6 6-1.500-1.500z"),
  fullscreen: svg("fullscreen", "M4 4h6v2H6v4H4zM14 4h6v6h-2V6h-4zM4 14h2v4h4v2H4zM18 14h2v6h-6v-2h4z"),
};
