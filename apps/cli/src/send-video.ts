import { Code, ConnectError } from "@connectrpc/connect";
import { type Video, VideoState } from "@kinora/proto-encoder";
import type { Connection } from "./connection.ts";
import { CliError, Interrupted } from "./errors.ts";
import { formatPercent } from "./format.ts";
import { createRate } from "./rate.ts";
import type { Reporter } from "./reporter.ts";
import type { SourceFile } from "./source-file.ts";
import { UploadGone, uploadFile } from "./upload.ts";
import type { UploadMemory } from "./upload-memory.ts";

/** What sending needs. */
export type SendOptions = {
  connection: Connection;
  source: SourceFile;
  memory: UploadMemory;
  reporter: Reporter;
  signal: AbortSignal;
};

/** Announces the file and sends its bytes, or what is missing of them when the same command was broken off before. */
export async function sendVideo(options: SendOptions): Promise<Video> {
  const { connection, source, memory, reporter, signal } = options;
  const { name, size } = source;
  let known = await findAnnounced(options);
  for (let round = 1; ; round++) {
    const { video, uploadUrl } = known ?? (await announce());
    await memory.note(video.id);
    reporter.event({
      event: "created",
      videoId: video.id,
      name: video.name,
      bytes: size,
      resumed: known !== undefined,
    });
    if (video.state === VideoState.UPLOADED) return video;
    if (known !== undefined) reporter.note(`Resuming the upload of ${name}.`);
    try {
      await send(options, uploadUrl);
      return video;
    } catch (error) {
      if (!(error instanceof UploadGone)) throw error;
      // It was deleted meanwhile, or its bytes were: once more from the beginning, but not for ever.
      if (round === 2) throw new CliError(`The server has lost the upload twice: ${error.message}`, { cause: error });
      await memory.forget();
      known = undefined;
    }
  }

  async function announce() {
    const answer = await connection.encoder.createVideo({ name, sizeBytes: BigInt(size) }, { signal });
    if (answer.video === undefined) throw new CliError("The server's answer is incomplete: it names no video.");
    return { video: answer.video, uploadUrl: answer.uploadUrl };
  }
}

/** The video that this file became in an earlier run, as the server has it. */
async function findAnnounced({ connection, memory, signal }: SendOptions) {
  const videoId = await memory.find();
  if (videoId === undefined) return undefined;
  try {
    const { video, uploadUrl } = await connection.encoder.getVideo({ id: videoId }, { signal });
    return video && { video, uploadUrl };
  } catch (error) {
    if (ConnectError.from(error).code !== Code.NotFound) throw error;
    await memory.forget();
    return undefined;
  }
}

async function send({ connection, source, reporter, signal }: SendOptions, url: string): Promise<void> {
  const total = source.size;
  let rate = createRate();
  let done = 0;
  const report = (waiting: boolean) => {
    const speed = rate.perSecond();
    reporter.progress({
      phase: "upload",
      fraction: total === 0 ? 1 : done / total,
      bytes: { done, total },
      speed,
      remainingSeconds: speed > 0 ? (total - done) / speed : undefined,
      waiting,
    });
  };
  try {
    await uploadFile({
      url,
      file: source.path,
      size: total,
      tokens: connection.session,
      signal,
      onProgress(bytes) {
        done = bytes;
        rate.add(performance.now(), bytes);
        report(false);
      },
      onWaiting() {
        rate = createRate(); // the time without the server says nothing of its speed
        report(true);
      },
    });
  } catch (error) {
    if (!signal.aborted) throw error;
    const percent = formatPercent(total === 0 ? 1 : done / total);
    throw new Interrupted(`The upload stopped at ${percent}. The same command resumes it.`);
  }
}
