/** Names and networks that belong to nobody (RFC 2606, 5737, 3849): whoever has one of them hasn't put in their own yet. */
const nobodys = /\bexample\.(?:org|com|net)\b|\b(?:192\.0\.2|198\.51\.100|203\.0\.113)\.\d|\b2001:0?db8:/i;

/** Where an environment still has the addresses that this repository comes with, by path: "publicUrl". */
export function placeholdersIn(value: unknown, path = ""): string[] {
  if (typeof value === "string") return nobodys.test(value) ? [path] : [];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, part]) => placeholdersIn(part, path === "" ? key : `${path}.${key}`));
}
