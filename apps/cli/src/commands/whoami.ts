import { UserSchema } from "@kinora/proto-user";
import { sessionClient } from "../clients.ts";
import { defineCommand } from "../command.ts";
import { connect } from "../connection.ts";
import { renderFacts } from "../describe-video.ts";
import { CliError } from "../errors.ts";
import { jsonLine } from "../json-line.ts";
import { roleName } from "../role.ts";
import { printable } from "../text-width.ts";

export const command = defineCommand({
  options: {},
  positionals: [0, 0],
  json: true,
  async run(context) {
    const { server, session } = await connect(context);
    const { user } = await sessionClient(server.user, session).getSession({}, { signal: context.signal });
    if (user === undefined) throw new CliError("The server's answer is incomplete: it names no account.");
    if (context.json) {
      context.stdout.write(jsonLine(UserSchema, user));
      return;
    }
    context.stdout.write(
      renderFacts([
        ["E-mail", printable(user.email)],
        ["Name", printable(user.name)],
        ["Role", roleName(user.role)],
        ["ID", user.id],
        ["Server", server.user === server.encoder ? server.user : `${server.user} and ${server.encoder}`],
      ]),
    );
  },
});
