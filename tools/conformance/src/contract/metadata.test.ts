import { create } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import type { ErrorDefinition, Header } from "./messages.ts";
import { addHeaders, connectError, errorDefinition, headerList } from "./metadata.ts";

const any = create(AnySchema, { typeUrl: "type.googleapis.com/a.B", value: new Uint8Array([1]) });

describe("the suite's metadata", () => {
  it("becomes header fields, repeated ones too, and comes back in one value", () => {
    const headers = new Headers();
    addHeaders(
      [{ name: "X-A", value: ["1", "2"] } as Header, { name: "x-b", value: [] } as unknown as Header],
      headers,
    );
    expect(headerList(headers)).toEqual([{ name: "x-a", value: ["1, 2"] }]);
  });

  it("has every value of a query", () => {
    expect(headerList(new URLSearchParams("a=1&b=2&a=3"))).toEqual([
      { name: "a", value: ["1", "3"] },
      { name: "b", value: ["2"] },
    ]);
  });

  it("is none where there is none", () => {
    expect(headerList(undefined)).toEqual([]);
  });
});

describe("the suite's errors", () => {
  it("are thrown as Connect's, with one more detail", () => {
    const definition = { code: 5, message: "not here", details: [any] } as unknown as ErrorDefinition;
    const error = connectError(definition, any);
    expect(error).toMatchObject({ code: Code.NotFound, rawMessage: "not here" });
    expect(error.details).toEqual([
      { type: "a.B", value: any.value },
      { type: "a.B", value: any.value },
    ]);
    expect(connectError(definition).details).toHaveLength(1);
  });

  it("are made of Connect's, with the details that came over the wire", () => {
    const error = new ConnectError("no", Code.Aborted);
    error.details = [{ type: "a.B", value: new Uint8Array([1]) }];
    expect(errorDefinition(error)).toMatchObject({ code: 10, message: "no", details: [any] });
  });
});
