/** Whether a word is an identifier as Kinora gives them, rather than a name or an address. */
export function isIdentifier(word: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(word);
}
