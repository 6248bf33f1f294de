import { Code, ConnectError } from "@connectrpc/connect";
import { serverHeader } from "./clients.ts";
import { CliError } from "./errors.ts";
import { noKinoraAt } from "./server-address.ts";
import { printable } from "./text-width.ts";
import { violationsOf } from "./violations.ts";

/** Tells an error in one line for a person: what went wrong and, where that is known, what to do. */
export function describeError(error: unknown): string {
  if (!(error instanceof ConnectError)) {
    return systemError(error);
  }
  if (error.cause instanceof CliError) {
    return error.cause.message; // thrown by one of our interceptors
  }
  const said = printable(error.rawMessage).trim();
  switch (error.code) {
    case Code.Unavailable:
      return isConnectionFault(error)
        ? noKinoraAt(error.metadata.get(serverHeader) ?? "the server's address")
        : `The server can't do this at the moment: ${sentence(said)}`;
    case Code.DeadlineExceeded:
      return "The server took too long to answer. Try again in a moment.";
    case Code.Canceled:
      return "The server broke the call off. Try again.";
    case Code.Unauthenticated:
      return `${sentence(said)} Log in with "kinora login".`;
    case Code.InvalidArgument: {
      const violations = violationsOf(error);
      return violations.length === 0
        ? sentence(said)
        : `The server refuses the request: ${sentence(violations.map(({ field, message }) => `${field}: ${message}`).join("; "))}`;
    }
    case Code.Unimplemented:
      return "The server doesn't know this call: it is another version of Kinora than this command, or no Kinora at all.";
    case Code.Internal:
    case Code.Unknown:
    case Code.DataLoss:
      return `The server failed: ${sentence(said)}`;
    default:
      return sentence(said);
  }
}

/** Whether no answer came at all. */
export function isConnectionFault(error: unknown): boolean {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    const code = (at as NodeJS.ErrnoException).code;
    if (typeof code === "string" && /^(ECONN|ENOTFOUND|EAI_|EHOST|ENET|ETIMEDOUT|EPIPE|UND_ERR)/.test(code))
      return true;
    if (/ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH/.test(at.message)) return true;
  }
  return false;
}

function systemError(error: unknown): string {
  if (!(error instanceof Error)) return sentence(String(error));
  const { code, path } = error as NodeJS.ErrnoException;
  const where = path === undefined ? "" : ` ${path}`;
  switch (code) {
    case "ENOSPC":
      return `The disk is full; make room and try again.${where && ` (${path})`}`;
    case "EACCES":
    case "EPERM":
      return `You may not use${where || " this file"}.`;
    case "ENOENT":
      return `There is no${where || " such file"}.`;
    default:
      return sentence(printable(error.message));
  }
}

/** A message as a sentence: a capital letter at its beginning, a full stop at its end. */
export function sentence(message: string): string {
  const text = message.trim() || "Something went wrong";
  return `${text[0]?.toUpperCase()}${text.slice(1)}${/[.!?…]$/.test(text) ? "" : "."}`;
}
