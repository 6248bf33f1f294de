import { CallError, call } from "./calls.js";
import { sendFile, UploadError } from "./tus.js";

/** @typedef {import("./describe.js").Sending} Sending */

const encoder = "encoder.v1.EncoderService";

/**
 * Sends files one after the other, each as a video that is encoded as soon as it is there.
 * @param {object} on
 * @param {() => void} on.change something is to be shown anew, such as how much of a file is sent
 * @param {() => Promise<void>} on.list there is another video, or one has another state
 * @param {(message: string) => void} on.fault a sentence for the person
 */
export function createSender({ change, list, fault }) {
  /** @type {Map<string, { sent: number, waiting: boolean, stop: AbortController }>} */
  const sending = new Map();
  /** @type {(() => Promise<void>)[]} */
  const queue = [];
  let running = false;

  /** @param {() => Promise<void>} work */
  async function enqueue(work) {
    queue.push(work);
    if (running) return;
    running = true;
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await next().catch(reportError);
    running = false;
  }

  /**
   * @param {File} file
   * @param {() => Promise<{ id: string, uploadUrl: string }>} open
   */
  async function send(file, open) {
    let id = "";
    try {
      const opened = await open();
      id = opened.id;
      const stop = new AbortController();
      sending.set(id, { sent: 0, waiting: false, stop });
      await list();
      // The page may have been opened by another name of this server than it knows of itself.
      const path = new URL(opened.uploadUrl, location.href).pathname;
      const onProgress = (/** @type {number} */ sent, /** @type {boolean} */ waiting) => {
        sending.set(id, { sent, waiting, stop });
        change();
      };
      await sendFile({ path, file, signal: stop.signal, onProgress });
      await call(`${encoder}/StartEncode`, { videoId: id });
    } catch (error) {
      if (error instanceof CallError || error instanceof UploadError) fault(`${file.name}: ${error.message}`);
      else if (!(error instanceof DOMException && error.name === "AbortError")) throw error;
    } finally {
      sending.delete(id);
      await list();
    }
  }

  return {
    /**
     * What is sent of a video at this moment.
     * @param {string} id
     * @returns {Sending}
     */
    of: (id) => sending.get(id),
    /** Whether the page must stay open. */
    isBusy: () => running,
    /** @param {Iterable<File>} files */
    add(files) {
      for (const file of files) {
        void enqueue(() =>
          send(file, async () => {
            const answer = await call(`${encoder}/CreateVideo`, { name: nameOf(file), sizeBytes: String(file.size) });
            return { id: answer.video.id, uploadUrl: answer.uploadUrl };
          }),
        );
      }
    },
    /**
     * Goes on with a video of which a part has arrived.
     * @param {import("./describe.js").Video} video
     * @param {File} file
     */
    resume(video, file) {
      if (file.size !== Number(video.sizeBytes ?? 0)) {
        fault(`${file.name} isn't the file that was begun with: it has another length. Choose ${video.name}.`);
        return;
      }
      void enqueue(() =>
        send(file, async () => {
          const { uploadUrl } = await call(`${encoder}/GetVideo`, { id: video.id });
          return { id: video.id, uploadUrl };
        }),
      );
    },
    /** @param {string} id */
    stop: (id) => sending.get(id)?.stop.abort(),
    /** Sends nothing more of what was chosen. */
    stopAll() {
      queue.length = 0;
      for (const { stop } of sending.values()) stop.abort();
    },
  };
}

/**
 * A name that the contract takes: some, of at most 500 characters, none of them a control character.
 * @param {File} file
 */
function nameOf(file) {
  return file.name.replace(/\p{Cc}/gu, " ").slice(0, 500) || "video";
}
