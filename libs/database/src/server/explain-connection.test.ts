import { describe, expect, it } from "vitest";
import { explainConnection } from "./explain-connection.ts";

const address = { server: "db:5432", user: "kinora", database: "video" };
const system = (code: string, message = code, more = {}) => Object.assign(new Error(message), { code, ...more });

describe("explainConnection", () => {
  it.each([
    [system("ECONNREFUSED"), true, "No Postgres answers at db:5432."],
    [system("ENOTFOUND"), true, "The host of db:5432 can't be found."],
    [system("EHOSTUNREACH"), true, "Postgres at db:5432 can't be reached."],
    [new Error("timeout expired"), true, "Postgres at db:5432 can't be reached."],
    [system("57P03", "the database system is starting up"), true, "is starting up"],
    [system("53300"), true, "max_connections"],
    [new Error("Connection terminated unexpectedly"), true, "hangs up"],
    [system("28P01"), false, 'refuses the user "kinora"'],
    [system("3D000"), false, "CREATE DATABASE video"],
    [system("42501"), false, "GRANT ALL ON DATABASE video TO kinora"],
    [new Error("The server does not support SSL connections"), false, "sslmode=disable"],
    [
      system("DEPTH_ZERO_SELF_SIGNED_CERT", "self-signed certificate"),
      false,
      "isn't trusted (self-signed certificate)",
    ],
    [system("ENOENT", "no such file, open 'ca.pem'", { syscall: "open" }), false, "A file that DATABASE_URL names"],
    [new Error("SASL: client password must be a string"), false, "asks for a password"],
    [new Error("something else"), false, "Postgres at db:5432 can't be used: something else"],
  ])("%s", (error, mayPass, sentence) => {
    expect(explainConnection(error, address)).toEqual({ mayPass, sentence: expect.stringContaining(sentence) });
  });
});
