import { accessToken } from "./calls.js";

const minPiece = 1024 * 1024;
const maxPiece = 64 * 1024 * 1024;
/** A piece should take about this long, in milliseconds: often enough to show progress, and to lose little when the connection breaks. */
const pieceMs = 1_000;
const requestMs = 120_000;
const longestPauseMs = 10_000;

/** The server won't have the file, whatever is tried. */
export class UploadError extends Error {}

/**
 * Sends a file by tus 1.0 (core protocol): asks how much has arrived, then appends piece by piece; after every fault it asks again, for as long as the page is open.
 * @param {object} upload
 * @param {string} upload.path at this origin
 * @param {Blob} upload.file
 * @param {AbortSignal} upload.signal
 * @param {(sent: number, waiting: boolean) => void} upload.onProgress bytes that have arrived, and whether the server doesn't answer
 */
export async function sendFile({ path, file, signal, onProgress }) {
  let arrived = -1; // unknown
  let known = 0;
  let piece = minPiece;
  for (let faults = 0; ; ) {
    const begun = performance.now();
    const body = arrived < 0 ? undefined : file.slice(arrived, arrived + piece);
    const answer = await ask(path, arrived, body, signal);
    signal.throwIfAborted();
    if (answer.offset !== undefined) {
      if (answer.offset > file.size) throw new UploadError("The server has more bytes than this file has.");
      if (body !== undefined && answer.offset > arrived) {
        const factor = pieceMs / Math.max(performance.now() - begun, 1);
        piece = Math.min(maxPiece, Math.max(minPiece, piece * Math.min(2, Math.max(0.5, factor))));
      }
      if (answer.offset > known || body === undefined) faults = 0;
      known = Math.max(known, answer.offset);
      arrived = answer.offset;
      onProgress(arrived, false);
      if (arrived === file.size) return;
      continue;
    }
    if (answer.final) throw new UploadError(answer.message);
    arrived = -1;
    onProgress(known, true);
    await pause(Math.min(longestPauseMs, 500 * 2 ** faults++), signal);
  }
}

/** @typedef {{ offset?: number, final: boolean, message: string }} Answer `final`: asking again is of no use */

/**
 * @param {string} path
 * @param {number} offset
 * @param {Blob | undefined} body what to append; undefined asks for the offset
 * @param {AbortSignal} signal
 * @returns {Promise<Answer>}
 */
async function ask(path, offset, body, signal) {
  try {
    /** @type {Record<string, string>} */
    const headers = { authorization: `Bearer ${await accessToken()}`, "tus-resumable": "1.0.0" };
    if (body !== undefined) {
      headers["content-type"] = "application/offset+octet-stream";
      headers["upload-offset"] = String(offset);
    }
    const response = await fetch(path, {
      method: body === undefined ? "HEAD" : "PATCH",
      headers,
      ...(body === undefined ? {} : { body }),
      cache: "no-store",
      signal: AbortSignal.any([signal, AbortSignal.timeout(requestMs)]),
    });
    const said = response.headers.get("upload-offset") ?? "";
    if (response.ok && /^\d{1,15}$/.test(said)) return { offset: Number(said), final: false, message: "" };
    const { status } = response;
    const passing = status >= 500 || [401, 408, 409, 423, 429].includes(status) || response.ok;
    const message = body === undefined ? "" : (await response.text()).trim().slice(0, 300);
    return { final: !passing, message: message || `The server refuses the file (HTTP ${status}).` };
  } catch (error) {
    if (error instanceof DOMException && error.name === "NotReadableError") {
      return { final: true, message: "The file can't be read any more: it was changed, moved or deleted." };
    }
    return { final: false, message: "" };
  }
}

/**
 * Waits, but not longer than until the device is online again.
 * @param {number} ms
 * @param {AbortSignal} signal
 */
function pause(ms, signal) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener("online", done);
      signal.removeEventListener("abort", done);
      resolve(undefined);
    };
    const timer = setTimeout(done, ms);
    addEventListener("online", done);
    signal.addEventListener("abort", done);
  });
}
