import type { Statement } from "./access.ts";
import type { Contract } from "./contract.ts";

/**
 * The module `gen/statements.ts`: what the methods of a contract require of their callers, as plain data. Who needs no more than that of a contract, such as the service that
 * gives out scopes, needn't load its messages.
 */
export function statementsModule({ name }: Contract, statements: readonly Statement[]): string {
  const rows = statements.map(({ method, access, scope, role }) => {
    const [audience] = method.parent.typeName.split(".", 1);
    return `  ${JSON.stringify({ method: `${method.parent.typeName}.${method.name}`, audience, access, scope, role })},\n`;
  });
  return `// Generated from proto/${name}.

/** What each method requires of its callers: \`access\` and \`role\` by their numbers in \`kinora.access.v1\`, \`audience\` whom a token must be for. */
export const statements: readonly {
  readonly method: string;
  readonly audience: string;
  readonly access: number;
  readonly scope: string;
  readonly role: number;
}[] = [
${rows.join("")}];
`;
}
