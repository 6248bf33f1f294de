import type { TokenSource } from "./clients.ts";
import { isConnectionFault, sentence } from "./describe-error.ts";
import { CliError } from "./errors.ts";
import { printable } from "./text-width.ts";

/** An answer of the upload server. */
export type TusAnswer = {
  /** HTTP status; 0 when no answer came. */
  status: number;
  ok: boolean;
  /** Where the server wants the next byte, if it says so. */
  offset: number | undefined;
  /** What it says, as a sentence. */
  message: string;
};

/** Asks for an upload's offset, or appends bytes at `offset`. */
export type TusRequest = (
  what: { method: "HEAD" } | { method: "PATCH"; offset: number; body: Blob },
) => Promise<TusAnswer>;

const requestMs = 120_000;
const noAnswer: TusAnswer = { status: 0, ok: false, offset: undefined, message: "The server does not answer." };

/** Makes tus requests with the access token; one that is refused for its token is made once more with a new one. */
export function createTusRequest(options: {
  url: string;
  file: string;
  tokens: TokenSource;
  signal: AbortSignal;
}): TusRequest {
  const { url, file, tokens, signal } = options;

  async function once(token: string, what: Parameters<TusRequest>[0]): Promise<TusAnswer> {
    const response = await fetch(url, {
      method: what.method,
      headers: {
        Authorization: `Bearer ${token}`,
        "Tus-Resumable": "1.0.0",
        ...(what.method === "PATCH" && {
          "Content-Type": "application/offset+octet-stream",
          "Upload-Offset": String(what.offset),
        }),
      },
      ...(what.method === "PATCH" && { body: what.body }),
      redirect: "error",
      signal: AbortSignal.any([signal, AbortSignal.timeout(requestMs)]),
    });
    const said = printable((await response.text()).slice(0, 300)).trim();
    const offset = /^\d{1,15}$/.exec(response.headers.get("Upload-Offset") ?? "")?.[0];
    return {
      status: response.status,
      ok: response.ok,
      offset: offset === undefined ? undefined : Number(offset),
      message: sentence(said || `${response.status} ${response.statusText}`),
    };
  }

  return async (what) => {
    try {
      const token = await tokens.token(signal);
      const answer = await once(token, what);
      return answer.status === 401 ? await once(await tokens.renew(token, signal), what) : answer;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof CliError) throw error;
      if (changedWhileRead(error)) {
        throw new CliError(`${file} changed while it was being sent. Run the command again when it is complete.`);
      }
      if (error instanceof TypeError || (error as Error).name === "TimeoutError" || isConnectionFault(error))
        return noAnswer;
      throw error;
    }
  };
}

/** Whether reading the file failed, in fetch or below it. */
function changedWhileRead(error: unknown): boolean {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    if (at.name === "NotReadableError") return true;
  }
  return false;
}
