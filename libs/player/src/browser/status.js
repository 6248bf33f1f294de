/** @typedef {import("../video-status.ts").VideoStatus} VideoStatus */

/** Pauses between two questions, in milliseconds: while it is encoded, and while nobody works on it. */
const underWayMs = 2_000;
const restingMs = 15_000;

/**
 * Asks for a video's status until its stream is whole or it is gone.
 * @param {string} url
 * @param {object} on
 * @param {(status: VideoStatus) => void} on.status
 * @param {() => void} on.gone there is no such video any more
 * @param {() => void} on.unreachable the server doesn't answer; it is asked again
 */
export async function watchStatus(url, on) {
  for (;;) {
    let pause = underWayMs;
    try {
      const answer = await fetch(url, { cache: "no-cache", signal: AbortSignal.timeout(10_000) });
      if (answer.status === 404) return on.gone();
      if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
      const status = /** @type {VideoStatus} */ (await answer.json());
      on.status(status);
      if (status.state === "ready") return;
      if (status.state === "failed" || status.state === "cancelled") pause = restingMs;
    } catch {
      on.unreachable();
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
