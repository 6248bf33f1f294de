import type { ConnectError } from "@connectrpc/connect";
import { type FieldPath, ViolationsSchema } from "@kinora/proto-common";
import { printable } from "./text-width.ts";

/** The fields that a request got wrong, as the server names them. */
export function violationsOf(error: ConnectError): { field: string; message: string }[] {
  return error
    .findDetails(ViolationsSchema)
    .flatMap((detail) => detail.violations)
    .map(({ field, message }) => ({
      field: printable(field ? pathOf(field) : "") || "request",
      message: printable(message),
    }));
}

function pathOf({ elements }: FieldPath): string {
  return elements
    .map(({ fieldName, subscript }) => `${fieldName}${subscript.case === undefined ? "" : `[${subscript.value}]`}`)
    .join(".");
}
