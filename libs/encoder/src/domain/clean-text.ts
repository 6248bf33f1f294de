/** A text as the database can keep it and a terminal can show it: control characters (Postgres takes no NUL) become spaces, and it ends after `maxLength` characters. */
export function cleanText(text: string, maxLength: number): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this removes
  const clean = text.replaceAll(/[\u0000-\u001f\u007f]+/g, " ").trim();
  return clean.length > maxLength ? `${clean.slice(0, maxLength - 1)}…` : clean;
}
