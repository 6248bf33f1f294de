import { createControls } from "./controls.js";
import { noticeOf } from "./notice.js";
import { paceOf, tracksLine } from "./pace.js";
import { watchStatus } from "./status.js";
import { parseStoryboard } from "./storyboard.js";
import { playStream } from "./stream.js";

/** @typedef {import("../video-status.ts").VideoStatus} VideoStatus */

const player = /** @type {HTMLElement} */ (document.querySelector(".player"));
const video = /** @type {HTMLVideoElement} */ (player.querySelector("video"));
const notice = /** @type {HTMLElement} */ (player.querySelector(".notice"));
const progress = /** @type {HTMLElement} */ (player.querySelector(".progress"));
const folder = player.dataset.video ?? "";
const controls = createControls(player, video);

/** @type {VideoStatus | undefined} */
let status;
/** What is in the way of the stream and of the status, whatever the encode does; empty while nothing is. */
const trouble = { stream: "", status: "" };
/** The encode whose stream plays here: it stays the same, whatever is published meanwhile. */
let stream = "";
/** Since when that could be played: an encode that begins anew has another stream at the same address. */
let since = "";
/** Whether its files are gone. */
let withdrawn = false;
/** Whether it grows no more. */
let whole = false;
let hasPictures = false;
let stands = false;
let watching = false;
/** It is over: nothing more is said. */
let over = false;

function tell() {
  const atEnd = video.seekable.length > 0 && video.currentTime > video.seekable.end(0) - 1;
  const text =
    trouble.stream || trouble.status || (status ? noticeOf(status, { starved: stands && atEnd, withdrawn }) : "");
  if (notice.textContent !== text) notice.textContent = text;
  const underWay = !over && (status?.state === "encoding" || (status?.state === "waiting" && status.fraction > 0));
  progress.hidden = !underWay;
  if (!status || !underWay) return;
  const bar = /** @type {HTMLProgressElement} */ (progress.querySelector("progress"));
  bar.value = status.fraction;
  const texts = { span: paceOf(status), small: tracksLine(status) };
  for (const [name, text] of Object.entries(texts)) {
    /** @type {HTMLElement} */ (progress.querySelector(name)).textContent = text;
  }
}

/** @param {"stream" | "status"} of @param {string} text */
function say(of, text) {
  if (!over) trouble[of] = text;
  tell();
}

function end(/** @type {string} */ text) {
  say("stream", text);
  over = true;
  tell();
}

const unreachable = "The server can't be reached. It is tried again by itself.";
const deleted = "This video isn't there any more: it was deleted.";

function play() {
  const hls = playStream(video, `${folder}${stream}/master.m3u8`, {
    tracks: controls.setTracks,
    whole() {
      whole = true;
      controls.setLength(0);
    },
    lost(code) {
      withdrawn = code === 404;
      if (!withdrawn) say("stream", unreachable);
      watch();
    },
    found: () => say("stream", ""),
    unplayable: () => end("This browser can't play the stream."),
  });
  video.hidden = false;
  player.classList.add("has-stream");
  if (hls === undefined) video.controls = true;
  else controls.show();
}

/** @param {VideoStatus} current */
async function showPictures(current) {
  const base = new URL(`${folder}${stream}/`, location.href);
  if (current.poster) video.poster = new URL("poster.jpg", base).href;
  if (!current.storyboard) return;
  const url = new URL("storyboard.vtt", base).href;
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  controls.setThumbnails(parseStoryboard(await answer.text(), url));
}

/**
 * Whether what played here was taken back, and there is something else. A server of an earlier release doesn't tell since when.
 * @param {VideoStatus} current
 */
function isAnother(current) {
  if (current.stream === "" || current.stream !== stream) return withdrawn && current.stream !== "";
  return Boolean(since && current.streamSince) && current.streamSince !== since;
}

/** @param {VideoStatus} current */
function follow(current) {
  status = current;
  if (stream === "" && current.stream !== "") {
    stream = current.stream;
    since = current.streamSince;
    play();
  }
  if (isAnother(current)) return location.reload();
  // Not every fault is told of: what is buffered plays on.
  if (current.stream === "" && stream !== "") withdrawn = true;
  const pictures = current.poster || current.storyboard;
  if (stream !== "" && current.stream === stream && !hasPictures && pictures) {
    hasPictures = true;
    showPictures(current).catch(() => {
      hasPictures = false;
    });
  }
  controls.setLength(whole ? 0 : current.durationSeconds);
  say("status", "");
}

async function watch() {
  if (watching || over) return;
  watching = true;
  await watchStatus(`${folder}status.json`, {
    status: follow,
    gone: () => end(deleted),
    unreachable: () => say("status", unreachable),
  });
  watching = false;
}

const stand = (/** @type {boolean} */ is) => () => {
  stands = is;
  tell();
};
video.addEventListener("waiting", stand(true));
for (const type of ["playing", "seeking", "pause"]) video.addEventListener(type, stand(false));

watch();
