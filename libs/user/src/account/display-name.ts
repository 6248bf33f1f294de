/** The longest name, in characters (code points). */
const maxLength = 200;

/** Control characters, the ones that turn the writing direction (a name must not rewrite the text around it), and halves of surrogate pairs. */
const forbidden = /[\p{Cc}\p{Cs}\u202A-\u202E\u2066-\u2069]/u;

/** Everything that shows nothing: separators, format and unassigned characters, fillers, the empty Braille pattern. */
const invisible = /[\p{Z}\p{C}\p{Default_Ignorable_Code_Point}\u2800]/gu;

/** The name as it is stored: composed (NFC), without white space around it. */
export function normalizeDisplayName(name: string): string {
  return name.normalize("NFC").trim();
}

/** Says what is wrong with a normalised name, or undefined if nothing is. */
export function displayNameFault(name: string): string | undefined {
  if (forbidden.test(name)) return "must not contain control characters";
  if (name.replace(invisible, "") === "") return "must contain a visible character";
  if ([...name].length > maxLength) return `must be at most ${maxLength} characters long`;
  return undefined;
}
