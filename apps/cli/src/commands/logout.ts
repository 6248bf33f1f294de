import { defineCommand } from "../command.ts";
import { connect } from "../connection.ts";

export const command = defineCommand({
  options: {},
  positionals: [0, 0],
  json: false,
  async run(context) {
    const { server, session } = await connect(context);
    const ended = await session.logout(context.signal);
    context.stderr.write(ended ? `Logged out ${ended.email} from ${server.user}.\n` : "You were not logged in.\n");
    if (server.dataDir !== undefined) {
      context.stderr.write("On this machine, the next command acts as the local owner again.\n");
    }
  },
});
