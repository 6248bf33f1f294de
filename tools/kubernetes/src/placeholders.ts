/** Names that belong to nobody (RFC 2606): whoever has one of them hasn't put in their own yet. */
const nobodys = /\bexample\.(?:org|com|net)\b/;

/** Where an environment still has the addresses that this repository comes with, by path: "publicUrl". */
export function placeholdersIn(value: unknown, path = ""): string[] {
  if (typeof value === "string") return nobodys.test(value) ? [path] : [];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, part]) => placeholdersIn(part, path === "" ? key : `${path}.${key}`));
}
