import { icon } from "./icons.ts";
import { playerFolder } from "./player-route.ts";

/** The Content-Security-Policy of the page: files of its own origin, nothing inline, and nothing from elsewhere but the segments' origin, if they have another one. */
export function playerPagePolicy(segments?: string): string {
  const sources = segments === undefined ? "'self'" : `'self' ${segments}`;
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    `media-src ${sources} blob:`,
    `connect-src ${sources}`,
    `img-src ${sources} data:`,
    "worker-src blob:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
}

const head = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>Kinora</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${playerFolder}player.css">
`;

/** A page that plays a video as soon as it can, and says what it waits for. `videoId` must be a UUID: it is written into the page as it is. */
export function playerPage(videoId: string): string {
  return `${head}<script src="${playerFolder}hls.js" defer></script>
<script src="${playerFolder}main.js" type="module"></script>
<main class="player" data-video="/videos/${videoId}/">
  <video playsinline preload="metadata" aria-label="Video" hidden></video>
  <div class="controls" role="group" aria-label="Player" hidden>
    <div class="seek">
      <div class="thumbnail" hidden><div class="picture"></div><span></span></div>
      <input type="range" name="seek" min="0" max="0" step="any" value="0" aria-label="Seek">
    </div>
    <button type="button" name="play" aria-label="Play" title="Play (k)">${icon.play}${icon.pause}</button>
    <button type="button" name="mute" aria-label="Mute" title="Mute (m)">${icon.sound}${icon.muted}</button>
    <input type="range" name="volume" min="0" max="1" step="0.05" value="1" aria-label="Volume">
    <span class="time">0:00</span>
    <select name="sound" aria-label="Sound track" hidden></select>
    <select name="quality" aria-label="Quality" hidden></select>
    <button type="button" name="fullscreen" aria-label="Full screen" title="Full screen (f)">${icon.fullscreen}</button>
  </div>
  <p class="notice" role="status"></p>
  <p class="progress" hidden><progress max="1" value="0" aria-label="Encoded"></progress> <span></span><small></small></p>
  <noscript><p class="notice">Playing a video takes JavaScript here. Any HLS player plays it as well: <a href="/videos/${videoId}/master.m3u8">master.m3u8</a></p></noscript>
</main>
</html>
`;
}

/** The page in place of a video that isn't there. */
export const missingPage = `${head}<main class="player">
  <p class="notice">There is no such video: it was deleted, or the address isn't complete.</p>
</main>
</html>
`;
