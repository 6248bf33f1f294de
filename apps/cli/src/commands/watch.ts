import { EncodeSchema } from "@kinora/proto-encoder";
import { defineCommand } from "../command.ts";
import { connect } from "../connection.ts";
import { followEncode, isFinal } from "../follow-encode.ts";
import { jsonLine } from "../json-line.ts";
import { createReporter } from "../reporter.ts";
import { findEncode } from "../target.ts";
import { requireSuccess, watchEncode } from "../watch-encode.ts";

export const command = defineCommand({
  options: {},
  details: [
    "ID is an encode's, or a video's: then its last encode is followed. Ends with the address",
    "of the stream, on the last line of standard output. Ctrl-C stops watching, not the encode.",
  ].join("\n"),
  positionals: [1, 1],
  json: true,
  async run(context, { positionals }) {
    const { signal, stdout } = context;
    const connection = await connect(context);
    const { id: encodeId } = await findEncode(connection.encoder, positionals[0] ?? "", signal);
    if (context.json) {
      const { encoder, session: tokens } = connection;
      for await (const encode of followEncode({ encoder, tokens, encodeId, signal, onWaiting() {} })) {
        stdout.write(jsonLine(EncodeSchema, encode));
        if (isFinal(encode)) requireSuccess(encode);
      }
      return;
    }
    const reporter = createReporter(context, { upload: false, download: false });
    try {
      const encode = requireSuccess(await watchEncode({ connection, encodeId, reporter, signal }));
      reporter.end();
      if (encode.playback) stdout.write(`${encode.playback.hlsUrl}\n`);
    } finally {
      reporter.end();
    }
  },
});
