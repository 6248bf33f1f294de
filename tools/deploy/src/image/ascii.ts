/**
 * A program's text with every character beyond ASCII as an escape. V8 keeps ASCII in one byte a character and everything else in two; one dash in a comment makes
 * it widen a megabyte of code at each start, for 6 % of what the user service does until it is ready. The bundler escapes what is in strings by itself: what is left
 * stands in comments, and in regular expressions, where the escape means the same.
 */
export function toAscii(code: string): string {
  return code.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
