import { createHash } from "node:crypto";

/** Where the page finds hls.js. */
export const playerScriptPath = "/player/hls.js";

const style = `
html, body { margin: 0; height: 100%; background: #000; color: #ccc; font: 15px system-ui, sans-serif }
body { display: grid; place-items: center }
video { width: 100%; height: 100% }
p { position: fixed; inset: auto 0 12% 0; text-align: center; margin: 0 2em }
select { position: fixed; top: 12px; right: 12px; background: #222c; color: #eee; border: 1px solid #666; border-radius: 4px; padding: 4px }
`;

// Browsers that play HLS by themselves and lack media source extensions (iPhones) do so; the others get hls.js, with a choice of qualities.
const script = `
const video = document.querySelector("video"), select = document.querySelector("select"), note = document.querySelector("p");
const source = video.dataset.source;
const tell = (text) => { note.textContent = text };
if (window.Hls && Hls.isSupported()) {
  const hls = new Hls();
  hls.on(Hls.Events.MANIFEST_PARSED, () => {
    const qualities = hls.levels.map((level, index) => new Option(level.width + " × " + level.height, index));
    select.append(new Option("Automatic", -1), ...qualities.reverse());
    select.hidden = false;
  });
  hls.on(Hls.Events.ERROR, (_event, { fatal, type }) => {
    if (!fatal) return;
    if (type === Hls.ErrorTypes.MEDIA_ERROR) hls.recoverMediaError();
    else tell("The stream can't be loaded. Is the server still running?");
  });
  select.addEventListener("change", () => { hls.currentLevel = Number(select.value) });
  hls.loadSource(source);
  hls.attachMedia(video);
} else {
  video.addEventListener("error", () => tell("This browser can't play the stream."));
  video.src = source;
}
`;

const hash = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** The Content-Security-Policy of the page: only what it consists of, and nothing from elsewhere but the segments' origin, if they have another one. */
export function playerPagePolicy(segments?: string): string {
  const sources = segments === undefined ? "'self'" : `'self' ${segments}`;
  return [
    "default-src 'none'",
    `script-src 'self' ${hash(script)}`,
    `style-src ${hash(style)}`,
    `media-src ${sources} blob:`,
    `connect-src ${sources}`,
    `img-src ${sources} data:`,
    "worker-src blob:",
    "base-uri 'none'",
  ].join("; ");
}

/** A page that plays a published video. `videoId` must be a UUID: it is written into the page as it is. */
export function playerPage(videoId: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Kinora</title>
<link rel="icon" href="data:,">
<style>${style}</style>
<video controls playsinline poster="/videos/${videoId}/poster.jpg" data-source="/videos/${videoId}/master.m3u8"></video>
<select aria-label="Quality" hidden></select>
<p role="status"></p>
<script src="${playerScriptPath}"></script>
<script>${script}</script>
</html>
`;
}
