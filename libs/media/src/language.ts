/**
 * A file's language as a tag of RFC 5646, as HLS and DASH want it (`eng` becomes `en`); undefined for what isn't one, and for
 * "undetermined". A canonical tag needs no quoting anywhere.
 */
export function languageTag(language: string): string | undefined {
  try {
    const [tag] = Intl.getCanonicalLocales(language);
    return tag === undefined || tag === "und" || tag.length > 35 ? undefined : tag;
  } catch {
    return undefined;
  }
}

/** What speakers of a language call it, such as `Deutsch` for `de`: what players show in their menus. `tag` is one of `languageTag`. */
export function languageName(tag: string): string {
  const name = new Intl.DisplayNames([tag], { type: "language" }).of(tag) ?? tag;
  return name.replaceAll(/["\r\n]/g, "");
}
