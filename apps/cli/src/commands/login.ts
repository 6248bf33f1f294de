import { defineCommand } from "../command.ts";
import { connect } from "../connection.ts";
import { UsageError } from "../errors.ts";
import { readAnswer, readPassword } from "../password.ts";
import { secondFactorOf } from "../second-factor.ts";
import { printable } from "../text-width.ts";

export const command = defineCommand({
  options: {
    code: { type: "string", value: "CODE", about: "the code of your authenticator app, or a recovery code" },
    "password-stdin": { type: "boolean", about: "read the password from the first line of standard input" },
  },
  details: [
    "Asks for the password, or reads it from standard input when that is no terminal. Without",
    "EMAIL, and with a Kinora of this machine, logs in as its owner. Where the account has a second",
    "factor, asks for that, too.",
  ].join("\n"),
  positionals: [0, 1],
  json: false,
  async run(context, { positionals, values }) {
    const { stderr, stdin, signal } = context;
    const { server, session } = await connect(context);
    const given = positionals[0];
    const second = secondFactorOf(context, values.code);
    const asOwner = given === undefined && !values["password-stdin"];
    const owner = asOwner ? await session.loginAsOwner(signal, second) : undefined;
    if (owner !== undefined) {
      stderr.write(`Logged in to ${server.user} as its owner, ${printable(owner.email)}.\n`);
      return;
    }
    if (given === undefined && !stdin.isTTY) throw new UsageError("Whose login? Use: kinora login EMAIL");
    const email = given ?? (await readAnswer(context, "E-mail: "));
    const password = await readPassword(context, "Password: ", values["password-stdin"] === true);
    const user = await session.login({ email, password }, second, signal);
    stderr.write(`Logged in to ${server.user} as ${printable(user.email)}.\n`);
  },
});
