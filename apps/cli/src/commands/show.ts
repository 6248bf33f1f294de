import { EncodeSchema, VideoSchema } from "@kinora/proto-encoder";
import { defineCommand } from "../command.ts";
import { connect } from "../connection.ts";
import { encodeFacts, renderFacts, videoFacts } from "../describe-video.ts";
import { jsonLine } from "../json-line.ts";
import { findTarget } from "../target.ts";

export const command = defineCommand({
  options: {},
  details: "ID is a video's or an encode's.",
  positionals: [1, 1],
  json: true,
  async run({ signal, stdout, json, ...context }, { positionals }) {
    const { encoder } = await connect({ signal, stdout, json, ...context });
    const target = await findTarget(encoder, positionals[0] ?? "", signal);
    if (target.kind === "encode") {
      stdout.write(json ? jsonLine(EncodeSchema, target.encode) : renderFacts(encodeFacts(target.encode)));
      return;
    }
    const { video } = target;
    if (video.latestEncode) {
      // With media, plan and tracks, which a video's own answer may leave out.
      const { encode } = await encoder.getEncode({ id: video.latestEncode.id }, { signal });
      if (encode) video.latestEncode = encode;
    }
    const facts = [...videoFacts(video), ...(video.latestEncode ? encodeFacts(video.latestEncode) : [])];
    stdout.write(json ? jsonLine(VideoSchema, video) : renderFacts(facts));
  },
});
