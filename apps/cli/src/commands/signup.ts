import { accountClient, userClient } from "../clients.ts";
import { defineCommand } from "../command.ts";
import { connect } from "../connection.ts";
import { CliError, UsageError } from "../errors.ts";
import { readAnswer, readPassword } from "../password.ts";
import { secondFactorOf } from "../second-factor.ts";
import { printable } from "../text-width.ts";

export const command = defineCommand({
  options: {
    name: { type: "string", value: "NAME", about: "the name to show" },
    "birth-date": { type: "string", value: "YYYY-MM-DD", about: "your date of birth; optional" },
    invitation: { type: "string", value: "CODE", about: "the code from your invitation" },
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
    const request = { email, name, birthDate, password, invitation: values.invitation ?? "" };
    const { verificationId } = await userClient(server.user).createUser(request, { signal });
    if (verificationId !== "") {
      stderr.write(`A code is on its way to ${printable(email)}.\n`);
      const code = await ask("Code: ");
      await accountClient(server.user).verifySignUp({ verificationId, code }, { signal });
    }
    const user = await session.login({ email, password }, secondFactorOf(context), signal).catch((error: unknown) => {
      // The server tells nobody whether an address has an account; its mailbox knows.
      if (!(error instanceof CliError)) throw error;
      const hint = `If ${printable(email)} has an account already, use "kinora login", or "kinora account reset".`;
      throw new CliError(`You are not logged in: ${error.message} ${hint}`, { cause: error });
    });
    stderr.write(
      `Welcome, ${printable(user.name)}. You are logged in to ${server.user} as ${printable(user.email)}.\n`,
    );
  },
});
