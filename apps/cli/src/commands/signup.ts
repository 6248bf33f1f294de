import { userClient } from "../clients.ts";
import { defineCommand } from "../command.ts";
import { connect } from "../connection.ts";
import { CliError, UsageError } from "../errors.ts";
import { readAnswer, readPassword } from "../password.ts";
import { printable } from "../text-width.ts";

export const command = defineCommand({
  options: {
    name: { type: "string", value: "NAME", about: "the name to show" },
    "birth-date": { type: "string", value: "YYYY-MM-DD", about: "your date of birth; optional" },
    "password-stdin": { type: "boolean", about: "read the password from the first line of standard input" },
  },
  details: "Asks for what isn't given. A password has 15 characters or more; any will do.",
  positionals: [0, 1],
  json: false,
  async run(context, { positionals, values }) {
    const { stderr, stdin, signal } = context;
    const { server, session } = await connect(context);
    const ask = (prompt: string) => {
      if (!stdin.isTTY) throw new UsageError("Without a terminal, give everything: kinora signup EMAIL --name NAME");
      return readAnswer(context, prompt);
    };
    const email = positionals[0] ?? (await ask("E-mail: "));
    const name = values.name ?? (await ask("Name: "));
    const fromStdin = values["password-stdin"] === true;
    const password = await readPassword(context, "Password (15 characters or more): ", fromStdin);
    if (!fromStdin && stdin.isTTY && (await readPassword(context, "Once more: ", false)) !== password) {
      throw new CliError("The two passwords differ. Nothing was done.");
    }
    const birthDate = values["birth-date"] ?? "";
    await userClient(server.user).createUser({ email, name, birthDate, password }, { signal });
    const user = await session.login({ email, password }, signal);
    stderr.write(
      `Welcome, ${printable(user.name)}. You are logged in to ${server.user} as ${printable(user.email)}.\n`,
    );
  },
});
