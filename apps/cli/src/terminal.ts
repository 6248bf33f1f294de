import { styleText } from "node:util";
import type { Context, Output } from "./context.ts";

/** What a terminal can show. */
export type Look = {
  /** Whether lines can be redrawn. */
  live: boolean;
  columns(): number;
  unicode: boolean;
  paint(style: "green" | "red" | "yellow" | "bold" | "dim" | "cyan", text: string): string;
};

/** Finds out what a stream can show: colours only on a terminal, and without NO_COLOR. */
export function lookOf(stream: Output, env: Context["env"]): Look {
  const terminal = stream.isTTY === true && env.TERM !== "dumb";
  const colours = terminal && !env.NO_COLOR;
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || "";
  return {
    live: terminal,
    columns: () => stream.columns || 80,
    unicode: /utf-?8/i.test(locale),
    paint: (style, text) => (colours ? styleText(style, text, { validateStream: false }) : text),
  };
}
