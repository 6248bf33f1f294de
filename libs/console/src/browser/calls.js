/** A call that failed: `code` as Connect names it, or `unreachable` where no answer came; `message` for the person. */
export class CallError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** @typedef {{ accessToken: string, accessExpireTime: string }} Tokens */

const callMs = 30_000;
/** An access token that ends sooner than this is renewed before it is used, in milliseconds. */
const renewAheadMs = 60_000;

let access = { token: "", until: 0 };
/** @type {Promise<void> | undefined} */
let renewing;

/**
 * Keeps the access token of a login, in this page's memory alone. The refresh token is a cookie that no script reads.
 * @param {Tokens} tokens
 */
export function keep(tokens) {
  access = { token: tokens.accessToken, until: Date.parse(tokens.accessExpireTime) };
}

export function forget() {
  access = { token: "", until: 0 };
}

/**
 * Calls a method that everybody may call, such as `user.v1.SessionService/CreateSession`.
 * @param {string} method
 * @param {object} request
 * @param {string} [token]
 * @returns {Promise<any>} the answer
 */
export async function callOpenly(method, request, token) {
  /** @type {Record<string, string>} */
  const headers = { "content-type": "application/json", "kinora-cookies": "1" };
  if (token !== undefined) headers.authorization = `Bearer ${token}`;
  let response;
  let answer;
  try {
    response = await fetch(`/${method}`, {
      method: "POST",
      headers,
      body: JSON.stringify(request),
      signal: AbortSignal.timeout(callMs),
    });
    answer = await response.json();
  } catch {
    throw new CallError("unreachable", "Kinora doesn't answer. Is it running, and this device online?");
  }
  if (response.ok) return answer;
  throw new CallError(String(answer.code ?? response.status), sentence(String(answer.message ?? response.statusText)));
}

/**
 * Calls a method as who is signed in. Rejects with `unauthenticated` once the session has ended.
 * @param {string} method
 * @param {object} request
 * @returns {Promise<any>} the answer
 */
export async function call(method, request) {
  const token = await accessToken();
  try {
    return await callOpenly(method, request, token);
  } catch (error) {
    if (!(error instanceof CallError) || error.code !== "unauthenticated") throw error;
    // A key that was changed, or a clock that was set: once more with a token of now.
    if (access.token === token) await renew();
    return await callOpenly(method, request, access.token);
  }
}

/** A token that is good for a minute at least. */
export async function accessToken() {
  if (access.until - Date.now() < renewAheadMs) await renew();
  return access.token;
}

/** New tokens for the cookie; one renewal at a time, in all tabs together where the browser can do that. */
export function renew() {
  renewing ??= inTurn(refresh).finally(() => {
    renewing = undefined;
  });
  return renewing;
}

async function refresh() {
  for (let left = 5; ; left--) {
    try {
      return keep((await callOpenly("user.v1.SessionService/RefreshSession", {})).tokens);
    } catch (error) {
      // Another tab has asked at the same moment, and has the new cookie by now.
      if (!(error instanceof CallError) || error.code !== "aborted" || left === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

/** @param {() => Promise<void>} work */
function inTurn(work) {
  return navigator.locks === undefined ? work() : navigator.locks.request("kinora-session", work);
}

/** @param {string} text */
function sentence(text) {
  const [first = "", ...rest] = text;
  return `${first.toUpperCase()}${rest.join("")}${/[.!?]$/.test(text) ? "" : "."}`;
}
