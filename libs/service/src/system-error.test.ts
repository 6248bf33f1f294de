import { describe, expect, it } from "vitest";
import { explainSystemError } from "./system-error.ts";

function systemError(code: string, rest: object): Error {
  return Object.assign(new Error(code), { code, syscall: "open", ...rest });
}

describe("explainSystemError", () => {
  it.each([
    [systemError("EADDRINUSE", { syscall: "listen", port: 8081 }), /^port 8081 is taken: .*PORT/],
    [systemError("EACCES", { syscall: "listen", port: 80 }), /^not allowed to listen on port 80: set PORT/],
    [systemError("EADDRNOTAVAIL", { syscall: "listen", address: "10.9.9.9" }), /10\.9\.9\.9: set HOST/],
    [systemError("EACCES", { path: "/data/x" }), /^not allowed to use \/data\/x: .*KINORA_DATA/],
    [systemError("EROFS", { path: "/data/x" }), /^\/data\/x is on a read-only file system: .*KINORA_DATA/],
    [systemError("ENOSPC", { syscall: "write" }), /^no space left for a file: .*KINORA_DATA/],
    [new Error("outer", { cause: systemError("EROFS", { path: "/data/x" }) }), /read-only/],
  ])("%s", (error, expected) => {
    expect(explainSystemError(error)).toMatch(expected);
  });

  it.each([new Error("no system error"), systemError("EWEIRD", {}), "text", undefined])(
    "leaves others alone: %s",
    (error) => {
      expect(explainSystemError(error)).toBeUndefined();
    },
  );
});
