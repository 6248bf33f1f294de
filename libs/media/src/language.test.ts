import { expect, it } from "vitest";
import { languageName, languageTag } from "./language.ts";

it.each([
  ["deu", "Deutsch"],
  ["eng", "English"],
  ["fra", "français"],
  ["pt-BR", "português (Brasil)"],
  ["qaa", "qaa"], // for private use
])("%s is called %s", (language, name) => {
  expect(languageName(languageTag(language) ?? "")).toBe(name);
});
