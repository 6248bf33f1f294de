import { accountActions } from "../account/actions.ts";
import { actionHelp, findAction } from "../actions.ts";
import { defineCommand } from "../command.ts";
import { connect } from "../connection.ts";
import { userClients } from "../user-clients.ts";

export const command = defineCommand({
  options: {
    code: { type: "string", value: "CODE", about: "the code from the e-mail or the app, where one is asked for" },
    yes: { type: "boolean", short: "y", about: "delete without asking" },
  },
  details: ["Without more words, shows your account.", "", actionHelp("account", accountActions)].join("\n"),
  positionals: [0, 4],
  json: true,
  async run(context, { positionals, values }) {
    const { action, args } = findAction("account", accountActions, positionals);
    const connection = await connect(context);
    const clients = userClients(connection.server.user, connection.session);
    await action.run({ ...context, connection, clients }, args, values);
  },
});
