import { type Encode, EncodeState, type TrackProgress } from "@kinora/proto-encoder";
import type { Connection } from "./connection.ts";
import { sentence } from "./describe-error.ts";
import { CliError } from "./errors.ts";
import { followEncode, isFinal } from "./follow-encode.ts";
import type { Progress, TrackShare } from "./progress.ts";
import type { Reporter } from "./reporter.ts";
import { printable } from "./text-width.ts";

/** Follows an encode and shows how far it is. Returns its final state, whichever that is. */
export async function watchEncode(options: {
  connection: Connection;
  encodeId: string;
  reporter: Reporter;
  signal: AbortSignal;
}): Promise<Encode> {
  const { connection, encodeId, reporter, signal } = options;
  let last: Encode | undefined;
  let told = false;
  let notice = "";
  const states = followEncode({
    encoder: connection.encoder,
    tokens: connection.session,
    encodeId,
    signal,
    onWaiting: () => reporter.progress({ ...encodeProgress(last), waiting: true }),
  });
  for await (const encode of states) {
    last = encode;
    if (encode.notice && encode.notice !== notice) {
      notice = encode.notice;
      reporter.note(printable(notice));
      reporter.event({ event: "notice", notice });
      told = false; // what played of it doesn't any more
    }
    if (!told && encode.playback && !isFinal(encode)) {
      told = true;
      reporter.note(`Its beginning plays already: ${encode.playback.pageUrl || encode.playback.hlsUrl}`);
      const { hlsUrl, dashUrl, pageUrl } = encode.playback;
      reporter.event({ event: "playable", hlsUrl, dashUrl, pageUrl });
    }
    // Of an encode that came to nothing, the error says all.
    if (!isFinal(encode) || encode.state === EncodeState.SUCCEEDED) reporter.progress(encodeProgress(encode));
  }
  if (last === undefined) throw new CliError("The server told nothing about the encode.");
  return last;
}

/** Returns a succeeded encode; throws what a person must know about any other. */
export function requireSuccess(encode: Encode): Encode {
  switch (encode.state) {
    case EncodeState.SUCCEEDED:
      return encode;
    case EncodeState.CANCELLED:
      throw new CliError("The encode was cancelled.");
    default: {
      const reason = sentence(printable(encode.error) || "The encode failed, and the server doesn't say why");
      throw new CliError(
        encode.retryable ? `${reason} What is done stays: kinora retry ${encode.id} goes on.` : reason,
      );
    }
  }
}

/** An encode's state as progress on the whole way. */
export function encodeProgress(encode: Pick<Encode, "state" | "progress"> | undefined): Progress {
  const idle = { fraction: 0, speed: 0, waiting: false };
  switch (encode?.state) {
    case EncodeState.PROBING:
      return { ...idle, phase: "probe" };
    case EncodeState.ENCODING: {
      const {
        fraction = 0,
        speed = 0,
        remainingSeconds,
        chunks = 0,
        chunksDone = 0,
        tracks = [],
      } = encode.progress ?? {};
      const details = [...(chunks > 1 ? [`${chunksDone} of ${chunks} chunks`] : []), ...reasonsToWait(encode)];
      return {
        phase: "encode",
        fraction,
        speed,
        remainingSeconds,
        details,
        tracks: tracks.map(trackShare),
        waiting: false,
      };
    }
    case EncodeState.VERIFYING:
      return { ...idle, phase: "verify", fraction: encode.progress?.fraction ?? 0 };
    case EncodeState.SUCCEEDED:
      return { ...idle, phase: "verify", fraction: 1 };
    default:
      return { ...idle, phase: "queue", details: reasonsToWait(encode) };
  }
}

const trackShare = ({ name, fraction, speed, remainingSeconds }: TrackProgress): TrackShare => ({
  name: printable(name),
  fraction,
  speed,
  ...(remainingSeconds !== undefined && { remainingSeconds }),
});

/** What waits for what, where nothing else happens. */
function reasonsToWait(encode: Pick<Encode, "progress"> | undefined): string[] {
  const { runningTasks = 0, waiting = [] } = encode?.progress ?? {};
  return runningTasks > 0 ? [] : waiting.map(printable);
}
