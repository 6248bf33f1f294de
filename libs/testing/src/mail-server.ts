import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { waitUntil } from "./wait-until.ts";

/** A letter that came by SMTP, and what its client logged in with. */
export type SmtpLetter = { from: string; to: string[]; data: string; login: string | undefined };

/** A mail server of a test, which keeps what it is given (RFC 5321, with AUTH PLAIN of RFC 4954). */
export type MailServer = {
  port: number;
  letters: SmtpLetter[];
  /** Refuses the next letters, as a server in trouble does. */
  refuse(count: number): void;
  /** Waits for the next letter to an address, and takes it out. */
  next(to: string): Promise<SmtpLetter>;
} & AsyncDisposable;

export async function startMailServer(): Promise<MailServer> {
  const letters: SmtpLetter[] = [];
  const sockets = new Set<Socket>();
  let refusals = 0;

  function serve(socket: Socket): void {
    let letter: SmtpLetter = { from: "", to: [], data: "", login: undefined };
    let inData = false;
    let rest = "";
    const say = (line: string) => socket.write(`${line}\r\n`);
    const command = (line: string) => {
      const [verb = ""] = line.toUpperCase().split(" ", 1);
      if (verb === "EHLO") return say("250-test\r\n250 AUTH PLAIN");
      if (verb === "AUTH") {
        letter.login = Buffer.from(line.split(" ")[2] ?? "", "base64").toString("utf8");
        return say("235 welcome");
      }
      if (verb === "MAIL" && refusals > 0) {
        refusals -= 1;
        return say("451 not now");
      }
      if (verb === "MAIL") letter = { ...letter, from: addressOf(line), to: [] };
      else if (verb === "RCPT") letter.to.push(addressOf(line));
      else if (verb === "DATA") {
        inData = true;
        return say("354 go on");
      } else if (verb === "QUIT") {
        say("221 bye");
        socket.end();
        return;
      }
      say("250 fine");
    };
    say("220 test");
    socket.setEncoding("utf8").on("data", (chunk: string) => {
      rest += chunk;
      for (;;) {
        const end = rest.indexOf(inData ? "\r\n.\r\n" : "\r\n");
        if (end < 0) return;
        const text = rest.slice(0, end);
        rest = rest.slice(end + (inData ? 5 : 2));
        if (!inData) command(text);
        else {
          letters.push({ ...letter, data: text });
          inData = false;
          say("250 taken");
        }
      }
    });
  }

  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => socket.destroy());
    serve(socket);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The mail server has no port.");
  return {
    port: address.port,
    letters,
    refuse(count) {
      refusals = count;
    },
    next: (to) =>
      waitUntil(`a letter to ${to}`, () => {
        const index = letters.findIndex((letter) => letter.to.includes(to));
        return index < 0 ? undefined : letters.splice(index, 1)[0];
      }),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

function addressOf(line: string): string {
  return /<([^>]*)>/.exec(line)?.[1] ?? "";
}
