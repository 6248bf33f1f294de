/** @typedef {import("../video-status.ts").VideoStatus} VideoStatus */

/**
 * What to tell the person who looks at the page: a sentence, or nothing.
 * It changes with what happens and not with every percent, since screen readers speak it.
 * @param {VideoStatus} status
 * @param {{ starved: boolean, withdrawn: boolean }} playing starved: all that there is of a growing stream has been played; withdrawn: the stream that played here is gone
 */
export function noticeOf({ state, stream }, { starved, withdrawn }) {
  const anew = withdrawn ? "This video is encoded anew. It plays again as soon as its beginning is there" : "";
  switch (state) {
    case "uploading":
      return "This video hasn't arrived yet.";
    case "waiting":
      if (stream === "")
        return anew ? `${anew}; it waits for a worker.` : "This video waits for a worker to encode it.";
      return starved
        ? "The rest isn't encoded yet: it waits for a worker. It goes on by itself."
        : "It plays from the beginning; the rest waits for a worker.";
    case "encoding":
      if (stream === "") {
        return anew ? `${anew}.` : "This video is being encoded. It plays as soon as its beginning is there.";
      }
      return starved
        ? "The rest is still being encoded. It goes on by itself."
        : "It plays from the beginning while the rest is being encoded.";
    case "failed":
      return "This video couldn't be encoded. Whoever sent it can see why.";
    case "cancelled":
      return "The encode of this video was cancelled.";
    case "ready":
      return "";
  }
}
