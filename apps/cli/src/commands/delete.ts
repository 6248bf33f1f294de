import { defineCommand } from "../command.ts";
import { connect } from "../connection.ts";
import { findTarget } from "../target.ts";
import { printable } from "../text-width.ts";

export const command = defineCommand({
  options: {},
  details: [
    "With a video's ID: deletes its source and all its streams. With an encode's: deletes the",
    "stream that it made; the video stays. What is under way is cancelled. There is no undo.",
  ].join("\n"),
  positionals: [1, 1],
  json: false,
  async run(context, { positionals }) {
    const { signal, stderr } = context;
    const { encoder } = await connect(context);
    const target = await findTarget(encoder, positionals[0] ?? "", signal);
    if (target.kind === "video") {
      await encoder.deleteVideo({ id: target.video.id }, { signal });
      stderr.write(`The video "${printable(target.video.name)}" is deleted, with everything made from it.\n`);
    } else {
      await encoder.deleteEncode({ id: target.encode.id }, { signal });
      stderr.write(`The encode ${target.encode.id} is deleted, with its stream.\n`);
    }
  },
});
