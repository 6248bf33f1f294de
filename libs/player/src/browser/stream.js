/** @typedef {import("hls.js").default} Hls */

/** hls.js, a script of its own beside this one; undefined where it didn't come. */
const library = () => /** @type {{ Hls?: typeof import("hls.js").default }} */ (globalThis).Hls;

/** hls.js tries again by itself, for half a minute. People hear of it from this fault in a row on. */
const faultsToTell = 2;
/** How long after a fatal fault of the network the stream is asked for again, in milliseconds. */
const againMs = 3_000;
/** How long after a fault of the network hls.js may bring nothing to show, in milliseconds: where a change of quality meets such faults it gives up without a word. */
const stuckMs = 8_000;

/**
 * Plays an HLS stream in a video element, from its beginning, also while it grows.
 * @param {HTMLVideoElement} video
 * @param {string} url
 * @param {object} on
 * @param {(hls: Hls) => void} on.tracks qualities and sound tracks are known, or others than before
 * @param {(status: number) => void} on.lost the stream doesn't come, with the HTTP status or 0; it is asked for again
 * @param {() => void} on.found it comes again
 * @param {() => void} on.whole it grows no more: the video's length is its own
 * @param {() => void} on.unplayable this browser can't play it
 * @returns {Hls | undefined} the first of those that play it; undefined in a browser that plays HLS by itself and lacks media source extensions (old iPhones)
 */
export function playStream(video, url, on) {
  const Hls = library();
  if (Hls === undefined || !Hls.isSupported()) {
    video.addEventListener("error", on.unplayable);
    video.src = url;
    return undefined;
  }
  const { Events, ErrorTypes } = Hls;
  let mended = -Infinity;
  /** Faults of the network since something came. */
  let faults = 0;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let stuck;

  const relax = () => {
    clearInterval(stuck);
    stuck = undefined;
  };
  const found = () => {
    if (faults > 0) on.found();
    faults = 0;
  };
  const open = (/** @type {number} */ position) => {
    // A stream that grows isn't live: people want its beginning, and its length as far as there is any.
    const hls = new Hls({ startPosition: position, backBufferLength: 60 });
    hls.on(Events.MANIFEST_PARSED, () => on.tracks(hls));
    hls.on(Events.AUDIO_TRACKS_UPDATED, () => on.tracks(hls));
    hls.on(Events.LEVEL_LOADED, found);
    hls.on(Events.FRAG_LOADED, (_event, { frag }) => {
      found();
      if (frag.type === "main") relax();
    });
    hls.on(Events.LEVEL_UPDATED, (_event, { details }) => details.live || on.whole());
    hls.on(Events.ERROR, (_event, { fatal, type, response }) => {
      if (type === ErrorTypes.NETWORK_ERROR) {
        faults++;
        stuck ??= setInterval(() => starves(video) && again(hls), stuckMs);
      }
      if (type === ErrorTypes.NETWORK_ERROR && (fatal || faults === faultsToTell)) on.lost(response?.code ?? 0);
      if (!fatal) return;
      if (type === ErrorTypes.NETWORK_ERROR) {
        setTimeout(() => again(hls), againMs);
      } else if (type === ErrorTypes.MEDIA_ERROR && performance.now() - mended > 5_000) {
        mended = performance.now();
        hls.recoverMediaError();
      } else {
        hls.destroy();
        on.unplayable();
      }
    });
    hls.loadSource(url);
    hls.attachMedia(video);
    return hls;
  };
  /** A new one, from where the video stands: one that has given up doesn't go on reliably, above all before its first segment. */
  const again = (/** @type {Hls} */ given) => {
    // Picture and sound fail one after the other.
    if (given !== current) return;
    relax();
    const { currentTime, paused } = video;
    given.destroy();
    current = open(currentTime);
    // Taking the old one away has stopped the video.
    if (!paused) video.play().catch(() => {});
  };
  let current = open(0);
  return current;
}

/**
 * Whether it has nothing to show, although there is more of the stream.
 * @param {HTMLVideoElement} video
 */
function starves({ readyState, currentTime, seekable }) {
  const end = seekable.length === 0 ? Infinity : seekable.end(seekable.length - 1);
  return readyState < HTMLMediaElement.HAVE_FUTURE_DATA && currentTime < end - 1;
}
