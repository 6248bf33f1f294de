import { resolve } from "node:path";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  type Encode,
  type EncodeSettings,
  EncodeState,
  type Playback,
  Priority,
  type Video,
} from "@kinora/proto-encoder";
import { defineCommand } from "../command.ts";
import { type Connection, connect } from "../connection.ts";
import type { Context } from "../context.ts";
import { describeError } from "../describe-error.ts";
import { checkOutFolder, downloadStream } from "../download.ts";
import { CliError, Interrupted, UsageError } from "../errors.ts";
import { formatBytes, formatDuration } from "../format.ts";
import { createReporter, type Reporter } from "../reporter.ts";
import { sendVideo } from "../send-video.ts";
import { serverKey } from "../server-address.ts";
import { readSettings, settingsOption } from "../settings-option.ts";
import { openSourceFile } from "../source-file.ts";
import { openUploadMemory } from "../upload-memory.ts";
import { encodeProgress, requireSuccess, watchEncode } from "../watch-encode.ts";
import { retryWhileAway } from "../while-away.ts";

export const command = defineCommand({
  options: {
    out: {
      type: "string",
      short: "o",
      value: "DIR",
      about: "also download the finished stream into this new or empty folder",
    },
    profile: { type: "string", short: "p", value: "NAME", about: 'a profile; see "kinora profiles"' },
    settings: settingsOption,
    priority: { type: "string", value: "low|normal|high", about: "which of your encodes come first" },
  },
  details: [
    "Sends the file, has it encoded and ends with the address of the stream, on the last line",
    "of standard output. Broken off, the same command goes on where it was. Ctrl-C cancels.",
  ].join("\n"),
  positionals: [1, 1],
  json: true,
  async run(context, { positionals, values }) {
    const source = await openSourceFile(context.cwd, positionals[0] ?? "");
    const out = values.out === undefined ? undefined : resolve(context.cwd, values.out);
    if (out !== undefined) await checkOutFolder(out);
    const wanted = {
      profile: values.profile ?? "",
      settings: await readSettings(context, values.settings),
      priority: readPriority(values.priority),
    };
    const reporter = createReporter(context, { upload: true, download: out !== undefined });
    const { signal } = context;
    try {
      const connection = await connect(context);
      const memory = openUploadMemory(context, serverKey(connection.server.encoder), source);
      const video = await sendVideo({ connection, source, memory, reporter, signal });
      const encode = requireSuccess(
        (await finishedBefore(connection, video, wanted, signal)) ??
          (await runEncode(context, connection, video, wanted, reporter)),
      );
      if (encode.playback === undefined) throw new CliError("The server's answer is incomplete: it names no address.");
      const { hlsUrl, dashUrl, pageUrl } = encode.playback;
      const posterUrl = encode.result?.poster ? encode.playback.posterUrl : ""; // not every video has one
      if (out !== undefined) await bringHome(context, ownAddresses(encode.playback, posterUrl), out, reporter);
      await memory.forget();
      if (pageUrl) reporter.note(`Watch it in a browser: ${pageUrl}`);
      reporter.end();
      const done = { videoId: video.id, encodeId: encode.id, hlsUrl, dashUrl, posterUrl, pageUrl };
      reporter.event({ event: "done", ...done, ...(out !== undefined && { out }) });
      if (!context.json) context.stdout.write(`${hlsUrl}\n`);
    } catch (error) {
      reporter.end();
      const event = signal.aborted ? "interrupted" : "failed";
      reporter.event({ event, error: describeError(error) });
      throw error;
    }
  },
});

/** How to encode: the server's default profile has no name here. */
type Wanted = { profile: string; settings: EncodeSettings | undefined; priority: Priority };

const priorities = new Map([
  ["low", Priority.LOW],
  ["normal", Priority.NORMAL],
  ["high", Priority.HIGH],
]);

function readPriority(text = "normal"): Priority {
  const priority = priorities.get(text);
  if (priority === undefined) throw new UsageError(`--priority ${text}: expected ${[...priorities.keys()].join(", ")}`);
  return priority;
}

/** An encode that went on and succeeded after this command was broken off. */
async function finishedBefore(
  { encoder }: Connection,
  { latestEncode }: Video,
  { profile, settings }: Wanted,
  signal: AbortSignal,
) {
  if (latestEncode?.state !== EncodeState.SUCCEEDED) return undefined;
  // Nobody knows here which settings it was made with.
  if (settings !== undefined || (profile !== "" && profile !== latestEncode.profile)) return undefined;
  const { encode } = await encoder.getEncode({ id: latestEncode.id }, { signal });
  return encode;
}

/** Has the video encoded and waits for the end; Ctrl-C cancels. */
async function runEncode(
  context: Context,
  connection: Connection,
  video: Video,
  { profile, settings, priority }: Wanted,
  reporter: Reporter,
): Promise<Encode> {
  const { signal } = context;
  const { encoder } = connection;
  signal.throwIfAborted();
  // Without the signal: an encode whose start was broken off could not be cancelled.
  const request = { videoId: video.id, profile, priority, ...(settings && { settings }) };
  const { encode } = await retryWhileAway(() => encoder.startEncode(request), {
    signal,
    onWaiting: () => reporter.progress({ ...encodeProgress(undefined), waiting: true }),
  });
  if (encode === undefined) throw new CliError("The server's answer is incomplete: it names no encode.");
  const started = performance.now();
  reporter.event({ event: "started", videoId: video.id, encodeId: encode.id });
  try {
    const final = await watchEncode({ connection, encodeId: encode.id, reporter, signal });
    if (final.state === EncodeState.SUCCEEDED) {
      const names = final.result?.video.map((track) => track.name).join(", ");
      reporter.note(`Encoded in ${formatDuration((performance.now() - started) / 1000)}${names ? `: ${names}` : ""}.`);
    }
    return final;
  } catch (error) {
    if (!signal.aborted) throw error;
    reporter.note("Cancelling; Ctrl-C again leaves at once.");
    throw new Interrupted(await cancel(connection, encode.id));
  }
}

/** Asks the server to cancel; says what came of it. */
async function cancel({ encoder }: Connection, id: string): Promise<string> {
  try {
    await encoder.cancelEncode({ id });
    return "The encode is cancelled.";
  } catch (error) {
    return ConnectError.from(error).code === Code.FailedPrecondition
      ? `The encode had ended before it could be cancelled: see "kinora show ${id}".`
      : `The encode could not be cancelled, and goes on: ${describeError(error)} Use "kinora cancel ${id}" later.`;
  }
}

/** Where this very stream lies, so that another one of the same video, published meanwhile, doesn't mix into it. */
function ownAddresses({ streamUrl, hlsUrl, dashUrl }: Playback, posterUrl: string) {
  if (streamUrl === "") return { hlsUrl, dashUrl, posterUrl };
  return {
    hlsUrl: `${streamUrl}/master.m3u8`,
    dashUrl: `${streamUrl}/manifest.mpd`,
    posterUrl: posterUrl && `${streamUrl}/poster.jpg`,
  };
}

async function bringHome(
  { signal }: Context,
  playback: Parameters<typeof downloadStream>[0]["playback"],
  out: string,
  reporter: Reporter,
): Promise<void> {
  const { files, bytes } = await downloadStream({
    playback,
    out,
    signal,
    onProgress: ({ files, totalFiles }) =>
      reporter.progress({ phase: "download", fraction: files / totalFiles, speed: 0, waiting: false }),
  }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
    throw new Interrupted(`The download was stopped. The stream is complete, at ${playback.hlsUrl}`);
  });
  reporter.note(`Brought home into ${out}: ${files} files, ${formatBytes(bytes)}.`);
}
