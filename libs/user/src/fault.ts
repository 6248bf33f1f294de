import { DomainError, type FieldViolation } from "@kinora/rpc";

/** The error for fields that break a rule; the message names them all, for people who see only that. */
export function invalidFields(violations: FieldViolation[]): DomainError {
  const sentence = violations.map(({ field, message }) => `${field}: ${message}`).join("; ");
  return new DomainError("invalid", sentence, { violations });
}

/** The error for one field that breaks a rule. */
export function invalidField(field: string, message: string): DomainError {
  return invalidFields([{ field, message }]);
}
