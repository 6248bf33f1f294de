import { actionHelp, findAction } from "../actions.ts";
import { defineCommand } from "../command.ts";
import { connect } from "../connection.ts";
import { userClients } from "../user-clients.ts";
import { userActions } from "../users/actions.ts";

export const command = defineCommand({
  options: {
    query: { type: "string", short: "q", value: "TEXT", about: "only people whose name or address contains this" },
    role: { type: "string", value: "ROLE", about: "member, admin or owner" },
    minutes: { type: "string", value: "N", about: "of quota: minutes of video a month; none, or default" },
    storage: { type: "string", value: "GB", about: "of quota: gigabytes stored; none, or default" },
    yes: { type: "boolean", short: "y", about: "delete without asking" },
  },
  details: [
    "For administrators and owners. Without more words, lists everybody. USER is an e-mail address or an ID.",
    "",
    actionHelp("users", userActions),
  ].join("\n"),
  positionals: [0, 3],
  json: true,
  async run(context, { positionals, values }) {
    const { action, args } = findAction("users", userActions, positionals);
    const connection = await connect(context);
    const clients = userClients(connection.server.user, connection.session);
    await action.run({ ...context, connection, clients }, args, values);
  },
});
