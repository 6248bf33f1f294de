import { DomainError } from "@kinora/rpc";
import { expect, it } from "vitest";
import { databaseFault } from "./database-fault.ts";

const withCode = (code: string) => Object.assign(new Error("x"), { code });

it("calls a database that can't be reached unavailable, and leaves other errors alone", () => {
  for (const error of [
    withCode("ECONNREFUSED"),
    withCode("57P01"),
    withCode("57P03"),
    withCode("08006"),
    new Error("Connection terminated unexpectedly"),
    new Error("timeout exceeded when trying to connect"),
  ]) {
    expect(databaseFault(error)).toMatchObject({ reason: "unavailable", cause: error });
  }
  for (const error of [
    withCode("23505"),
    withCode("57014"),
    new Error("x"),
    "text",
    new DomainError("not_found", "x"),
  ]) {
    expect(databaseFault(error)).toBe(error);
  }
});
