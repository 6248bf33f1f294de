/**
 * What the page needs of a video as `ListVideos` gives it: numbers of 64 bits are strings in JSON, and what is 0 or empty isn't there.
 * @typedef {object} Video
 * @property {string} id
 * @property {string} name
 * @property {string} [sizeBytes]
 * @property {string} [uploadedBytes]
 * @property {string} state
 * @property {string} [createTime]
 * @property {{ hlsUrl: string, pageUrl?: string, posterUrl?: string }} [playback]
 * @property {Encode} [latestEncode]
 *
 * @typedef {object} Encode
 * @property {string} id
 * @property {string} state
 * @property {string} [error]
 * @property {boolean} [retryable]
 * @property {{ fraction?: number, remainingSeconds?: number, waiting?: string[] }} [progress]
 * @property {{ hlsUrl: string }} [playback]
 *
 * @typedef {{ sent: number, waiting: boolean } | undefined} Sending what this page sends of it now
 *
 * @typedef {object} Description
 * @property {string} text where the video stands
 * @property {number | undefined} fraction of what is under way; undefined where nothing is
 * @property {boolean} underWay whether it changes by itself
 * @property {"resume" | "encode" | "retry" | "cancel" | undefined} offer what the person can do about it
 * @property {string | undefined} hls where it plays
 */

/**
 * Says where a video stands.
 * @param {Video} video
 * @param {Sending} sending
 * @returns {Description}
 */
export function describe(video, sending) {
  const size = Number(video.sizeBytes ?? 0);
  const encode = video.latestEncode;
  const hls = video.playback?.hlsUrl ?? encode?.playback?.hlsUrl;
  /**
   * @param {string} text
   * @param {Partial<Description>} [more]
   * @returns {Description}
   */
  const is = (text, more) => ({ text, fraction: undefined, underWay: false, offer: undefined, hls, ...more });

  if (sending !== undefined) {
    const fraction = size === 0 ? 1 : sending.sent / size;
    const text = `${percent(fraction)} of ${bytes(size)} sent`;
    return is(sending.waiting ? `${text}; waits for the connection` : text, { fraction, offer: "cancel" });
  }
  if (video.state === "VIDEO_STATE_UPLOADING") {
    const fraction = size === 0 ? 0 : Number(video.uploadedBytes ?? 0) / size;
    return is(`${percent(fraction)} of ${bytes(size)} have arrived`, { fraction, offer: "resume" });
  }
  if (encode === undefined) return is(`${bytes(size)}, not encoded`, { offer: "encode" });

  const { fraction = 0, remainingSeconds, waiting = [] } = encode.progress ?? {};
  switch (encode.state) {
    case "ENCODE_STATE_SUCCEEDED":
      return is(`${bytes(size)}, ready`);
    case "ENCODE_STATE_FAILED":
      return is(encode.error || "Couldn't be encoded", { offer: encode.retryable ? "retry" : undefined });
    case "ENCODE_STATE_CANCELLED":
      return is("Cancelled", { offer: "encode" });
    case "ENCODE_STATE_QUEUED":
    case "ENCODE_STATE_PROBING":
      return is(waiting[0] ?? "Is looked into", { fraction: 0, underWay: true, offer: "cancel" });
    default: {
      const left = remainingSeconds === undefined ? "" : `, ${duration(remainingSeconds)} left`;
      const text = fraction === 0 && waiting[0] !== undefined ? waiting[0] : `${percent(fraction)} encoded${left}`;
      return is(text, { fraction, underWay: true, offer: "cancel" });
    }
  }
}

/** @param {number} fraction */
function percent(fraction) {
  return `${Math.floor(fraction * 100)} %`;
}

/**
 * 940 B, 1.2 MB, 12 GB
 * @param {number} count
 */
export function bytes(count) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = count < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(count) / 3));
  const value = count / 1000 ** power;
  return `${power === 0 || value >= 10 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}

/**
 * 40 s, 12 min, 1.5 h
 * @param {number} seconds
 */
export function duration(seconds) {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  return seconds < 5_400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
