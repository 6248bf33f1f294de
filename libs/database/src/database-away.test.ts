import { expect, it } from "vitest";
import { isDatabaseAway } from "./database-away.ts";

const withCode = (code: string, message = "x") => Object.assign(new Error(message), { code });

it.each([
  withCode("ECONNREFUSED"),
  withCode("EPIPE", "write EPIPE"),
  withCode("57P01"),
  withCode("57P03"),
  withCode("08006"),
  withCode("53300"),
  withCode("58030"),
  withCode("ERR_STREAM_DESTROYED", "Client has encountered a connection error and is not queryable"),
  new Error("Connection terminated unexpectedly"),
  new Error("timeout exceeded when trying to connect"),
  new Error("Cannot use a pool after calling end on the pool"),
])("$code $message: it can't be reached", (error) => expect(isDatabaseAway(error)).toBe(true));

it.each([
  withCode("23505"),
  withCode("57014"),
  // A message that quotes a person's words isn't the driver's.
  withCode("22P02", 'invalid input syntax: "connection error"'),
  withCode("EACCES"),
  new Error("x"),
  "connection error",
  undefined,
])("%o: that is something else", (error) => expect(isDatabaseAway(error)).toBe(false));
