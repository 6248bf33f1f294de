import { formatBytes, formatPercent, paceOf } from "./format.ts";
import { type Progress, wholeFraction } from "./progress.ts";
import { textWidth, truncate } from "./text-width.ts";

/** How a bar is drawn. */
export type BarStyle = {
  /** Cells of the terminal's line. */
  columns: number;
  /** Whether the terminal shows block characters. */
  unicode: boolean;
  /** Colours a part of the line; the identity where colours aren't wanted. */
  paint: (text: string) => string;
};

/** Which parts this run has. */
export type Parts = { upload: boolean; download: boolean };

const minBar = 10;
const maxBar = 40;

/** Draws one line: what is going on, a bar over the whole way, its percentage, speed and time left. Never wider than the terminal. */
export function renderBar(progress: Progress, parts: Parts, style: BarStyle): string {
  const fraction = wholeFraction(progress, parts);
  const label = labelOf(progress);
  const percent = formatPercent(fraction).padStart(5);
  const details = detailsOf(progress);
  const room = style.columns - 1; // the last cell stays empty: some terminals wrap when it is written
  // Details give way first, then the bar.
  for (let shown = details.length; shown >= 0; shown--) {
    const tail = [percent, ...details.slice(0, shown)].join("  ");
    const cells = Math.min(maxBar, room - textWidth(label) - textWidth(tail) - 2);
    if (cells >= minBar) {
      return `${label} ${style.paint(drawBar(fraction, cells, style.unicode))} ${tail}`;
    }
  }
  return truncate(`${label} ${percent.trim()}`, room, "");
}

/** The bar itself, in exactly `cells` cells. */
export function drawBar(fraction: number, cells: number, unicode: boolean): string {
  const [full, empty] = unicode ? ["█", "░"] : ["#", "-"];
  const done = Math.min(cells, Math.floor(fraction * cells));
  return full.repeat(done) + empty.repeat(cells - done);
}

/** One line for a log: the same, in words. */
export function renderLine(progress: Progress, parts: Parts): string {
  const phase = labelOf(progress).trim();
  const details = detailsOf(progress);
  return [`${phase}: ${formatPercent(wholeFraction(progress, parts))}`, ...details].join(", ");
}

const labels = {
  upload: "Sending",
  queue: "Waiting for a worker",
  probe: "Reading",
  encode: "Encoding",
  verify: "Checking",
  download: "Downloading",
};

function labelOf({ phase, waiting }: Progress): string {
  return (waiting ? "Waiting for the server" : labels[phase]).padEnd(labels.download.length);
}

function detailsOf({ phase, speed, remainingSeconds, waiting, bytes, details = [], tracks = [] }: Progress): string[] {
  if (waiting) return [];
  const pace = paceOf(
    { speed, remainingSeconds },
    phase === "encode" ? undefined : (bytes) => `${formatBytes(bytes)}/s`,
  );
  const sizes = bytes === undefined ? [] : [`${formatBytes(bytes.done)} of ${formatBytes(bytes.total)}`];
  const each = tracks.map(({ name, fraction }) => `${name} ${formatPercent(fraction)}`).join(" · ");
  return [...pace, ...sizes, ...details, ...(each === "" ? [] : [each])];
}
