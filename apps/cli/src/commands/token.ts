import { defineCommand } from "../command.ts";
import { connect } from "../connection.ts";

/** Somebody is about to use it by hand: it should live for some minutes still. */
const minimumMs = 5 * 60_000;

export const command = defineCommand({
  options: {},
  details: [
    "The token lives for some minutes. For example:",
    '  curl -H "authorization: Bearer $(npx kinora token)" -H "content-type: application/json" \\',
    "    -d '{}' http://localhost:8080/encoder.v1.EncoderService/ListVideos",
  ].join("\n"),
  positionals: [0, 0],
  json: false,
  async run(context) {
    const { session } = await connect(context);
    context.stdout.write(`${await session.tokenFor(minimumMs, context.signal)}\n`);
  },
});
