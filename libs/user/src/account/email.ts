/**
 * The form under which an e-mail address is unique and looked up: ASCII letters in lower case, everything else as it is.
 * Unicode case rules would fold look-alikes such as the Kelvin sign into a letter, and so one address into somebody else's.
 */
export function emailKey(email: string): string {
  return email.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** Whether the text holds characters that no address and no database text may hold. */
export function hasControlCharacters(text: string): boolean {
  return /\p{Cc}/u.test(text);
}
