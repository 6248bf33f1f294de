import { create } from "@bufbuild/protobuf";
import { type Any, AnySchema } from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import type { ErrorDefinition, Header } from "./messages.ts";

/** A header field as the suite writes it. */
export type HeaderInit = { name: string; value: string[] };
/** An error as the suite writes it. */
export type ErrorInit = { code: number; message?: string; details: Any[] };

/** Adds the suite's header fields to what Connect sends. */
export function addHeaders(fields: readonly Header[], to: Headers): void {
  for (const { name, value } of fields) {
    for (const item of value) {
      to.append(name, item);
    }
  }
}

/** Header fields in the suite's form. */
export function headerList(headers: Headers | URLSearchParams | undefined): HeaderInit[] {
  return [...new Set(headers?.keys() ?? [])].map((name) => ({
    name,
    value: headers instanceof URLSearchParams ? headers.getAll(name) : [headers?.get(name) ?? ""],
  }));
}

/** The error that a handler is told to throw, with one more detail if given. */
export function connectError(definition: ErrorDefinition, detail?: Any): ConnectError {
  const error = new ConnectError(definition.message ?? "", definition.code);
  const details = detail === undefined ? definition.details : [...definition.details, detail];
  error.details = details.map(({ typeUrl, value }) => ({ type: typeUrl.slice(typeUrl.lastIndexOf("/") + 1), value }));
  return error;
}

/** An error that a client got, in the suite's form. */
export function errorDefinition(error: ConnectError): ErrorInit {
  return {
    code: error.code,
    message: error.rawMessage,
    details: error.details
      .filter((detail) => "type" in detail)
      .map(({ type, value }) => create(AnySchema, { typeUrl: `type.googleapis.com/${type}`, value })),
  };
}
