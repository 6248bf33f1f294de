import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { ViolationsSchema } from "@kinora/proto-common";
import { describe, expect, it } from "vitest";
import { serverHeader } from "./clients.ts";
import { describeError, isConnectionFault } from "./describe-error.ts";
import { CliError } from "./errors.ts";

const refused = Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:1"), { code: "ECONNREFUSED" });
const violations = create(ViolationsSchema, {
  violations: [
    { field: { elements: [{ fieldName: "email" }] }, message: "must be an e-mail address" },
    { field: { elements: [{ fieldName: "paths", subscript: { case: "index", value: 2n } }] }, message: "is too long" },
  ],
});

describe("describeError", () => {
  it.each<[unknown, string]>([
    [
      new ConnectError("refused", Code.Unavailable, { [serverHeader]: "http://k:8080" }, undefined, refused),
      'No Kinora answers at http://k:8080. Start it with "npm start", or give --server URL.',
    ],
    [
      new ConnectError("the database is away", Code.Unavailable),
      "The server can't do this at the moment: The database is away.",
    ],
    [new ConnectError("token expired", Code.Unauthenticated), 'Token expired. Log in with "kinora login".'],
    [
      new ConnectError("bad", Code.InvalidArgument, undefined, [{ desc: ViolationsSchema, value: violations }]),
      "The server refuses the request: Email: must be an e-mail address; paths[2]: is too long.",
    ],
    [new ConnectError("size is wrong", Code.InvalidArgument), "Size is wrong."],
    [new ConnectError("the upload is not complete", Code.FailedPrecondition), "The upload is not complete."],
    [new ConnectError("reference 123", Code.Internal), "The server failed: Reference 123."],
    [new ConnectError("a\x1b[31m\nb", Code.NotFound), "A [31m b."],
    [ConnectError.from(new CliError("You are not logged in.")), "You are not logged in."],
    [Object.assign(new Error("x"), { code: "ENOSPC", path: "/d" }), "The disk is full; make room and try again. (/d)"],
    [new Error(""), "Something went wrong."],
  ])("%s", (error, text) => {
    expect(describeError(error)).toBe(text);
  });
});

it("tells a fault of the network by its cause", () => {
  expect(isConnectionFault(new TypeError("fetch failed", { cause: refused }))).toBe(true);
  expect(isConnectionFault(new Error("something else"))).toBe(false);
});
