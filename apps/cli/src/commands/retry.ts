import { defineCommand } from "../command.ts";
import { connect } from "../connection.ts";
import { findEncode } from "../target.ts";

export const command = defineCommand({
  options: {},
  details:
    "ID is an encode's that failed by a machine's fault, or a video's: then its last encode is meant.\nWhat was done stays done; \"kinora watch ID\" follows the rest.",
  positionals: [1, 1],
  json: false,
  async run(context, { positionals }) {
    const { signal, stderr } = context;
    const { encoder } = await connect(context);
    const { id } = await findEncode(encoder, positionals[0] ?? "", signal);
    await encoder.retryEncode({ id }, { signal });
    stderr.write(`The encode ${id} goes on.\n`);
  },
});
