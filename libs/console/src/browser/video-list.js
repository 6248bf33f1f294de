import { describe } from "./describe.js";

/** @typedef {import("./describe.js").Video} Video */
/** @typedef {import("./describe.js").Sending} Sending */
/** @typedef {"resume" | "encode" | "retry" | "cancel" | "delete" | "copy"} Action */

/**
 * Shows videos as a list, each in the place of its own element, so that what has the focus keeps it.
 * @param {HTMLElement} list
 * @param {HTMLTemplateElement} template
 * @param {(action: Action, video: Video, button: HTMLButtonElement) => void} act what the person wants
 */
export function createVideoList(list, template, act) {
  /** @type {Map<string, { element: HTMLElement, video: Video }>} */
  const rows = new Map();

  /** @param {Video} video */
  function rowOf(video) {
    const known = rows.get(video.id);
    if (known !== undefined) {
      known.video = video;
      return known.element;
    }
    const copy = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
    const element = part(copy, "li");
    const row = { element, video };
    rows.set(video.id, row);
    for (const button of element.querySelectorAll("button")) {
      button.addEventListener("click", () => act(/** @type {Action} */ (button.name), row.video, button));
    }
    return element;
  }

  return {
    /**
     * @param {readonly Video[]} videos
     * @param {(id: string) => Sending} sendingOf
     */
    show(videos, sendingOf) {
      const ids = new Set(videos.map(({ id }) => id));
      for (const [id, { element }] of rows) {
        if (ids.has(id)) continue;
        element.remove();
        rows.delete(id);
      }
      for (const [index, video] of videos.entries()) {
        const element = rowOf(video);
        fill(element, video, sendingOf(video.id));
        if (list.children[index] !== element) list.insertBefore(element, list.children[index] ?? null);
      }
    },
  };
}

/**
 * @param {HTMLElement} element
 * @param {Video} video
 * @param {Sending} sending
 */
function fill(element, video, sending) {
  const { text, fraction, offer, hls } = describe(video, sending);
  const page = hls === undefined ? undefined : `/videos/${video.id}`;
  const name = /** @type {HTMLAnchorElement} */ (part(element, ".name"));
  setText(name, video.name);
  link(name, page);
  setText(part(element, ".state"), text);
  const play = /** @type {HTMLAnchorElement} */ (part(element, ".play"));
  link(play, page);
  play.hidden = page === undefined;
  play.setAttribute("aria-label", `Play ${video.name}`);
  const progress = /** @type {HTMLProgressElement} */ (part(element, "progress"));
  progress.hidden = fraction === undefined;
  progress.value = fraction ?? 0;
  progress.setAttribute("aria-label", `${video.name}: ${text}`);
  for (const button of element.querySelectorAll("button")) {
    button.hidden = button.name === "copy" ? hls === undefined : button.name !== "delete" && button.name !== offer;
    button.setAttribute("aria-label", `${button.textContent}: ${video.name}`);
  }
  const image = /** @type {HTMLImageElement} */ (part(element, "img"));
  const poster = video.playback?.posterUrl ? `/videos/${video.id}/poster.jpg` : undefined;
  if (poster !== undefined && !image.hasAttribute("src")) image.src = poster;
}

/**
 * @param {HTMLAnchorElement} anchor
 * @param {string | undefined} href
 */
function link(anchor, href) {
  if (href === undefined) anchor.removeAttribute("href");
  else if (anchor.getAttribute("href") !== href) anchor.href = href;
}

/**
 * @param {HTMLElement} element
 * @param {string} text
 */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * @param {ParentNode} from
 * @param {string} selector
 * @returns {HTMLElement}
 */
function part(from, selector) {
  const found = from.querySelector(selector);
  if (found === null) throw new Error(`the page has no ${selector}`);
  return /** @type {HTMLElement} */ (found);
}
