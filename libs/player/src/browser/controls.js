import { tileAt } from "./storyboard.js";
import { clock } from "./time.js";

/** @typedef {import("./storyboard.js").Tile} Tile */
/** @typedef {import("hls.js").default} Hls */

/** How far the arrow keys go, in seconds. */
const step = 5;
/** How long after the last movement the controls go away in full screen, in milliseconds. */
const restMs = 3_000;

/**
 * Buttons, seek bar and keys of the player.
 * @param {HTMLElement} player the element that holds everything
 * @param {HTMLVideoElement} video
 */
export function createControls(player, video) {
  const bar = /** @type {HTMLElement} */ (player.querySelector(".controls"));
  const named = (/** @type {string} */ name) => bar.querySelector(`[name=${name}]`);
  const seek = /** @type {HTMLInputElement} */ (named("seek"));
  const volume = /** @type {HTMLInputElement} */ (named("volume"));
  const play = /** @type {HTMLButtonElement} */ (named("play"));
  const mute = /** @type {HTMLButtonElement} */ (named("mute"));
  const fullscreen = /** @type {HTMLButtonElement} */ (named("fullscreen"));
  const quality = /** @type {HTMLSelectElement} */ (named("quality"));
  const sound = /** @type {HTMLSelectElement} */ (named("sound"));
  const time = /** @type {HTMLElement} */ (bar.querySelector(".time"));
  const thumbnail = /** @type {HTMLElement} */ (bar.querySelector(".thumbnail"));
  const picture = /** @type {HTMLElement} */ (thumbnail.querySelector(".picture"));
  const moment = /** @type {HTMLElement} */ (thumbnail.querySelector("span"));
  /** @type {readonly Tile[]} */
  let tiles = [];
  /** Length of the whole video, of which a growing stream has a part. */
  let wholeSeconds = 0;

  const there = () => (video.seekable.length > 0 ? video.seekable.end(video.seekable.length - 1) : 0);
  const length = () => Math.max(wholeSeconds, Number.isFinite(video.duration) ? video.duration : there());

  const goTo = (/** @type {number} */ seconds) => {
    video.currentTime = Math.min(Math.max(0, seconds), there());
    showTime();
  };
  const toggle = () => {
    if (video.paused) video.play().catch(() => {});
    else video.pause();
  };
  const toggleMute = () => {
    video.muted = !video.muted;
  };
  const toggleFullscreen = () => {
    if (document.fullscreenElement) document.exitFullscreen();
    else player.requestFullscreen().catch(() => {});
  };
  const setVolume = (/** @type {number} */ value) => {
    video.volume = Math.min(1, Math.max(0, value));
    video.muted = false;
  };

  function showTime() {
    const all = length();
    const text = `${clock(video.currentTime)} / ${clock(all)}`;
    seek.max = String(all);
    seek.value = String(video.currentTime);
    seek.setAttribute("aria-valuetext", `${clock(video.currentTime)} of ${clock(all)}`);
    if (time.textContent !== text) time.textContent = text;
    const part = (/** @type {number} */ seconds) => `${all > 0 ? Math.min(100, (100 * seconds) / all) : 0}%`;
    seek.style.setProperty("--played", part(video.currentTime));
    seek.style.setProperty("--there", part(there()));
  }
  function showState() {
    name(play, video.paused ? "Play" : "Pause", "k");
    name(mute, video.muted ? "Unmute" : "Mute", "m");
    player.classList.toggle("playing", !video.paused);
    player.classList.toggle("muted", video.muted || video.volume === 0);
    volume.value = String(video.muted ? 0 : video.volume);
  }
  /** Shows the picture of a moment above its place on the seek bar. */
  function showThumbnail(/** @type {number} */ seconds) {
    const all = length();
    const tile = tileAt(tiles, seconds);
    thumbnail.hidden = all === 0;
    thumbnail.style.setProperty("--at", `${(100 * seconds) / (all || 1)}%`);
    moment.textContent = clock(seconds);
    picture.hidden = tile === undefined;
    if (tile === undefined) return;
    picture.style.width = `${tile.width}px`;
    picture.style.height = `${tile.height}px`;
    picture.style.backgroundImage = `url("${tile.url}")`;
    picture.style.backgroundPosition = `-${tile.x}px -${tile.y}px`;
  }
  const hideThumbnail = () => {
    thumbnail.hidden = true;
  };

  play.addEventListener("click", toggle);
  video.addEventListener("click", toggle);
  mute.addEventListener("click", toggleMute);
  fullscreen.addEventListener("click", toggleFullscreen);
  fullscreen.hidden = !document.fullscreenEnabled;
  volume.addEventListener("input", () => setVolume(Number(volume.value)));
  seek.addEventListener("input", () => {
    const wanted = Number(seek.value);
    goTo(wanted);
    showThumbnail(Math.min(wanted, there()));
  });
  seek.addEventListener("pointermove", (event) => {
    const box = seek.getBoundingClientRect();
    const part = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    showThumbnail(part * length());
  });
  for (const type of ["pointerleave", "pointerup", "blur"]) seek.addEventListener(type, hideThumbnail);
  for (const type of ["timeupdate", "durationchange", "progress", "seeked"]) video.addEventListener(type, showTime);
  for (const type of ["play", "pause", "volumechange"]) video.addEventListener(type, showState);

  /** @type {Readonly<Record<string, () => void>>} */
  const keys = {
    " ": toggle,
    k: toggle,
    m: toggleMute,
    f: toggleFullscreen,
    ArrowLeft: () => goTo(video.currentTime - step),
    ArrowRight: () => goTo(video.currentTime + step),
    ArrowUp: () => setVolume(video.volume + 0.1),
    ArrowDown: () => setVolume(video.volume - 0.1),
    Home: () => goTo(0),
    End: () => goTo(there()),
  };
  document.addEventListener("keydown", (event) => {
    if (bar.hidden || event.ctrlKey || event.metaKey || event.altKey) return;
    const { target, key } = event;
    // What has the focus knows best what its keys do; the seek bar's own steps are too small for people.
    if (target === quality || target === sound || (target === volume && key.startsWith("Arrow"))) return;
    if (target instanceof HTMLButtonElement && key === " ") return;
    const action = keys[key.length === 1 ? key.toLowerCase() : key];
    if (action === undefined) return;
    event.preventDefault();
    action();
  });

  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let rest;
  const wake = () => {
    player.classList.remove("resting");
    clearTimeout(rest);
    rest = setTimeout(() => player.classList.toggle("resting", !video.paused), restMs);
  };
  for (const type of ["pointermove", "keydown", "focusin"]) player.addEventListener(type, wake);

  return {
    show() {
      bar.hidden = false;
      showState();
      showTime();
    },
    /** @param {number} seconds */
    setLength(seconds) {
      wholeSeconds = seconds;
      showTime();
    },
    /** @param {readonly Tile[]} next */
    setThumbnails(next) {
      tiles = next;
    },
    /** Offers what there is to choose from. @param {Hls} hls */
    setTracks(hls) {
      const sizes = hls.levels.map((level, index) => /** @type {const} */ ([sizeName(level), index]));
      fill(quality, [["Automatic", -1], ...sizes.reverse()], hls.autoLevelEnabled ? -1 : hls.currentLevel);
      quality.hidden = sizes.length < 2;
      quality.onchange = () => {
        hls.nextLevel = Number(quality.value);
      };
      const sounds = hls.audioTracks.map((track, index) => /** @type {const} */ ([track.name, index]));
      fill(sound, sounds, hls.audioTrack);
      sound.hidden = sounds.length < 2;
      sound.onchange = () => {
        hls.audioTrack = Number(sound.value);
      };
    },
  };
}

/** @param {{ width: number, height: number }} level */
const sizeName = ({ width, height }) => `${Math.min(width, height)}p`;

/** @param {HTMLButtonElement} button @param {string} label @param {string} key */
function name(button, label, key) {
  button.setAttribute("aria-label", label);
  button.title = `${label} (${key})`;
}

/** @param {HTMLSelectElement} select @param {readonly (readonly [string, number])[]} options @param {number} chosen */
function fill(select, options, chosen) {
  select.replaceChildren(...options.map(([text, value]) => new Option(text, String(value), false, value === chosen)));
}
