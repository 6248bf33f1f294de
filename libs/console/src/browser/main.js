import { CallError, call, callOpenly, forget, keep, renew } from "./calls.js";
import { describe } from "./describe.js";
import { createSender } from "./sender.js";
import { startSignIn } from "./sign-in.js";
import { createVideoList } from "./video-list.js";

/** @typedef {import("./describe.js").Video} Video */

const encoder = "encoder.v1.EncoderService";
/** Pauses between two looks at the list, in milliseconds: while something changes by itself, and while nothing does. */
const busyMs = 1_500;
const restingMs = 15_000;
const pageSize = 50;

/**
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} selector
 * @returns {T}
 */
function at(selector) {
  const found = document.querySelector(selector);
  if (found === null) throw new Error(`the page has no ${selector}`);
  return /** @type {T} */ (found);
}

const who = at(".who");
const faultLine = at(".fault");
const status = at("[role=status]");
const form = /** @type {HTMLFormElement} */ (at("form"));
const section = at(".videos");
const picker = /** @type {HTMLInputElement} */ (at("input[type=file]"));
const more = at("button[name=more]");

/** Whether somebody has signed in by this browser, so that a visitor's page asks for no session. No secret: the session is the cookie. */
const memory = "kinora.signed-in";

/** @type {Video[]} */
let videos = [];
/** How many are shown at most; "older ones" are a page more. */
let wanted = pageSize;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
let isSignedIn = false;
let updates = 0;
/** @type {Video | undefined} */
let resumed;

/**
 * @param {string} message a sentence; empty for none
 * @param {"list"} [from] set for what is over once the list has been read
 */
function fault(message, from) {
  faultLine.textContent = message;
  faultLine.hidden = message === "";
  faultLine.dataset.from = from ?? "";
}

const sender = createSender({ change: show, list: look, fault });
const list = createVideoList(at(".videos ul"), /** @type {HTMLTemplateElement} */ (at("#video")), act);

function show() {
  list.show(videos, sender.of);
  at(".empty").hidden = videos.length > 0;
}

/** Asks for the list and shows it; again after a while, as long as the page can be seen. */
async function look() {
  clearTimeout(timer);
  if (!isSignedIn) return;
  let pause = restingMs;
  try {
    await update();
    pause = videos.some((video) => describe(video, sender.of(video.id)).underWay) ? busyMs : restingMs;
    if (faultLine.dataset.from === "list") fault("");
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    if (error.code === "unauthenticated") return signedOut("You have been signed out. Sign in again.");
    fault(error.message, "list");
    pause = busyMs * 2;
  }
  clearTimeout(timer);
  if (!document.hidden) timer = setTimeout(() => void look(), pause);
}

async function update() {
  const mine = ++updates;
  /** @type {Video[]} */
  const found = [];
  let pageToken = "";
  do {
    const answer = await call(`${encoder}/ListVideos`, { pageSize: Math.min(wanted - found.length, 1_000), pageToken });
    found.push(...(answer.videos ?? []));
    pageToken = answer.nextPageToken ?? "";
  } while (pageToken !== "" && found.length < wanted);
  // A later look may have been answered earlier, and knows more.
  if (mine !== updates) return;
  tell(found);
  videos = found;
  more.hidden = pageToken === "";
  show();
}

/**
 * Has screen readers say what came to its end.
 * @param {readonly Video[]} next
 */
function tell(next) {
  const before = new Map(videos.map((video) => [video.id, video]));
  for (const video of next) {
    const known = before.get(video.id);
    if (known === undefined || !describe(known, undefined).underWay) continue;
    const { underWay, text } = describe(video, undefined);
    if (!underWay) status.textContent = `${video.name}: ${text}`;
  }
}

/**
 * @param {import("./video-list.js").Action} action
 * @param {Video} video
 * @param {HTMLButtonElement} button
 */
async function act(action, video, button) {
  const encodeId = video.latestEncode?.id;
  fault("");
  try {
    switch (action) {
      case "resume":
        resumed = video;
        picker.multiple = false;
        picker.click();
        return;
      case "copy":
        // Browsers have one for pages over TLS, and of this machine.
        if (navigator.clipboard === undefined) throw new DOMException("no clipboard");
        await navigator.clipboard.writeText(video.playback?.hlsUrl ?? video.latestEncode?.playback?.hlsUrl ?? "");
        status.textContent = "Copied.";
        button.textContent = "Copied";
        setTimeout(() => {
          button.textContent = "Copy HLS address";
        }, 2_000);
        return;
      case "encode":
        await call(`${encoder}/StartEncode`, { videoId: video.id });
        break;
      case "retry":
        await call(`${encoder}/RetryEncode`, { id: encodeId });
        break;
      case "cancel":
        if (sender.of(video.id) !== undefined) sender.stop(video.id);
        else await call(`${encoder}/CancelEncode`, { id: encodeId });
        break;
      case "delete":
        if (!confirm(`Delete ${video.name}, with the stream that was made of it?`)) return;
        sender.stop(video.id);
        await call(`${encoder}/DeleteVideo`, { id: video.id });
        break;
    }
    await look();
  } catch (error) {
    if (error instanceof CallError && error.code === "unauthenticated") {
      signedOut("You have been signed out. Sign in again.");
    } else if (error instanceof DOMException) {
      fault("The browser doesn't let this page copy. The address is on the video's page.");
    } else if (error instanceof CallError) fault(error.message);
    else throw error;
  }
}

async function signedIn() {
  const { user } = await call("user.v1.SessionService/GetSession", {});
  isSignedIn = true;
  localStorage.setItem(memory, "yes");
  at(".who span").textContent = user?.email ?? "";
  who.hidden = false;
  form.hidden = true;
  section.hidden = false;
  fault("");
  await look();
}

/** @param {string} [why] */
function signedOut(why = "") {
  isSignedIn = false;
  clearTimeout(timer);
  forget();
  localStorage.removeItem(memory);
  videos = [];
  wanted = pageSize;
  show();
  who.hidden = true;
  section.hidden = true;
  form.hidden = false;
  fault(why);
  /** @type {HTMLElement} */ (form.elements.namedItem("email")).focus();
}

/** @param {Iterable<File>} files */
function take(files) {
  const [first] = files;
  if (first === undefined) return;
  fault("");
  if (resumed === undefined) sender.add(files);
  else sender.resume(resumed, first);
  resumed = undefined;
}

at("button[name=choose]").addEventListener("click", () => {
  resumed = undefined;
  picker.multiple = true;
  picker.click();
});
picker.addEventListener("change", () => {
  take([...(picker.files ?? [])]);
  picker.value = "";
});
more.addEventListener("click", () => {
  wanted += pageSize;
  void look();
});
at("button[name=sign-out]").addEventListener("click", async () => {
  if (sender.isBusy() && !confirm("A video is being sent. Sign out all the same?")) return;
  try {
    await callOpenly("user.v1.SessionService/RevokeSession", {});
    sender.stopAll();
    signedOut();
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    fault(error.message);
  }
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) void look();
});
for (const event of /** @type {const} */ (["dragover", "drop"])) {
  document.addEventListener(event, (drag) => {
    const files = drag.dataTransfer;
    if (!isSignedIn || files === null || !files.types.includes("Files")) return;
    drag.preventDefault();
    section.classList.toggle("is-target", event === "dragover");
    if (event === "drop") {
      resumed = undefined;
      take([...files.files]);
    }
  });
}
document.addEventListener("dragleave", () => section.classList.remove("is-target"));
addEventListener("beforeunload", (event) => {
  if (sender.isBusy()) event.preventDefault();
});

startSignIn(form, {
  fault,
  done(tokens) {
    keep(tokens);
    signedIn().catch((error) => (error instanceof CallError ? fault(error.message) : reportError(error)));
  },
});
if (localStorage.getItem(memory) === null) signedOut();
else void goOn();

/** Goes on with the session of an earlier visit; asks again where no answer comes. */
async function goOn() {
  try {
    await renew();
    await signedIn();
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    if (error.code !== "unreachable" && error.code !== "unavailable") return signedOut();
    fault(error.message);
    setTimeout(() => void goOn(), busyMs * 2);
  }
}
