/** Text on a terminal: what is safe to print, and how many cells it takes. */

/**
 * Text of others (a video's name, a server's message) without what a terminal would obey: control characters, and the marks that turn
 * the direction of writing.
 */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]+/gu, " ");
}

/** Cells that a text without control characters takes: two for East Asian wide characters and emoji, none for combining marks. */
export function textWidth(text: string): number {
  let width = 0;
  for (const character of text) {
    width += characterWidth(character);
  }
  return width;
}

/** Cuts a text to at most `width` cells; what is missing is marked by an ellipsis. */
export function truncate(text: string, width: number, ellipsis = "…"): string {
  if (textWidth(text) <= width) return text;
  let kept = "";
  let used = textWidth(ellipsis);
  if (used > width) return "";
  for (const character of text) {
    used += characterWidth(character);
    if (used > width) break;
    kept += character;
  }
  return kept + ellipsis;
}

/** Fills a text with spaces up to `width` cells. */
export function padTo(text: string, width: number, side: "left" | "right" = "left"): string {
  const fill = " ".repeat(Math.max(0, width - textWidth(text)));
  return side === "left" ? text + fill : fill + text;
}

// Scripts that Unicode's East Asian Width calls wide, by property, since a table of ranges would be long: UAX #11.
const wide =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]/u;
const none = /[\p{Mn}\p{Me}\p{Cf}]/u;

function characterWidth(character: string): number {
  return none.test(character) ? 0 : wide.test(character) ? 2 : 1;
}
