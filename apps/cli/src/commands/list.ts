import { timestampDate } from "@bufbuild/protobuf/wkt";
import { type Video, VideoSchema } from "@kinora/proto-encoder";
import type { EncoderClient } from "../clients.ts";
import { defineCommand } from "../command.ts";
import { connect } from "../connection.ts";
import { UsageError } from "../errors.ts";
import { formatBytes, formatTime } from "../format.ts";
import { jsonLine } from "../json-line.ts";
import { videoStatus } from "../status.ts";
import { renderTable } from "../table.ts";
import { lookOf } from "../terminal.ts";
import { printable } from "../text-width.ts";

const defaultLimit = 1_000;
const maxLimit = 100_000;

export const command = defineCommand({
  options: {
    limit: { type: "string", short: "n", value: "N", about: `how many at most; ${defaultLimit} unless given` },
  },
  positionals: [0, 0],
  json: true,
  async run(context, { values }) {
    const limit = parseLimit(values.limit);
    const { encoder } = await connect(context);
    const { videos, more } = await listVideos(encoder, limit, context.signal);
    const { stdout, stderr } = context;
    if (context.json) {
      for (const video of videos) stdout.write(jsonLine(VideoSchema, video));
    } else if (videos.length === 0) {
      stderr.write('You have no videos yet. Send one with "kinora encode FILE".\n');
    } else {
      const look = lookOf(stdout, context.env);
      const rows = videos.map((video) => [
        video.id,
        printable(video.name),
        videoStatus(video).text,
        formatBytes(Number(video.sizeBytes)),
        video.createTime ? formatTime(timestampDate(video.createTime)) : "",
      ]);
      const columns = [
        { title: "ID" },
        { title: "NAME", flexible: { minimum: 12 } },
        { title: "STATE" },
        { title: "SIZE", align: "right" as const },
        { title: "SENT" },
      ];
      const [head = "", ...lines] = renderTable(columns, rows, look.live ? look.columns() : Number.POSITIVE_INFINITY);
      stdout.write(`${[look.paint("bold", head), ...lines].join("\n")}\n`);
    }
    if (more) stderr.write(`There are more. Use --limit to see them.\n`);
  },
});

async function listVideos(
  encoder: EncoderClient,
  limit: number,
  signal: AbortSignal,
): Promise<{ videos: Video[]; more: boolean }> {
  const videos: Video[] = [];
  let pageToken = "";
  do {
    const page = await encoder.listVideos({ pageSize: Math.min(500, limit - videos.length), pageToken }, { signal });
    videos.push(...page.videos);
    pageToken = page.nextPageToken;
  } while (pageToken !== "" && videos.length < limit);
  return { videos, more: pageToken !== "" };
}

function parseLimit(text: string | undefined): number {
  if (text === undefined) return defaultLimit;
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > maxLimit)
    throw new UsageError(`--limit ${text}: expected a whole number from 1 to ${maxLimit}.`);
  return limit;
}
