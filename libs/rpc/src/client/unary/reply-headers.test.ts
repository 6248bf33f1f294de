import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodable, toHeaders } from "./reply-headers.ts";

describe("a status message", () => {
  it.each([
    ["", ""],
    ["no%20such%20user", "no such user"],
    ["%f0%9f%98%80", "\u{1f600}"],
    ["100 %", "100 %"],
    ["%zz", "%zz"],
    ["%e2%82", "%e2%82"],
  ])("%o means %o", (sent, meant) => {
    expect(decodeURIComponent(decodable(sent))).toBe(meant);
  });

  it("can be decoded whatever it is", () => {
    fc.assert(
      fc.property(fc.string(), (sent) => {
        decodeURIComponent(decodable(sent));
      }),
    );
  });

  it("is all that is touched", () => {
    const headers = toHeaders({ "grpc-message": "50%", "x-share": "50%", "set-cookie": ["a", "b"], ":status": "200" });
    expect([...headers]).toEqual([
      ["grpc-message", "50%25"],
      ["set-cookie", "a"],
      ["set-cookie", "b"],
      ["x-share", "50%"],
    ]);
  });
});
