import type { Context, Output } from "./context.ts";
import { createLinePace } from "./line-pace.ts";
import type { Progress } from "./progress.ts";
import { wholeFraction } from "./progress.ts";
import { type Parts, renderBar, renderLine } from "./progress-bar.ts";
import { lookOf } from "./terminal.ts";

/** Shows how far the work is, in the form that suits who reads it. */
export type Reporter = {
  progress(progress: Progress): void;
  /** One sentence on a line of its own. */
  note(sentence: string): void;
  /** Something for programs: written with `--json` alone. */
  event(event: { event: string } & Record<string, unknown>): void;
  /** Takes the bar away. */
  end(): void;
};

/** A bar on a terminal, lines elsewhere, JSON on standard output with `--json`. Sentences and bars go to stderr. */
export function createReporter(context: Context, parts: Parts): Reporter {
  if (context.json) return jsonReporter(context.stdout);
  const look = lookOf(context.stderr, context.env);
  return look.live ? barReporter(context, parts) : lineReporter(context.stderr, parts);
}

function jsonReporter(stdout: Output): Reporter {
  const pace = createLinePace();
  const write = (value: object) => stdout.write(`${JSON.stringify(value)}\n`);
  return {
    progress({ phase, fraction, bytes, speed, remainingSeconds, tracks, waiting }) {
      if (!pace.due(performance.now(), `${phase} ${waiting}`, fraction)) return;
      write({
        event: phase === "queue" || phase === "probe" || phase === "verify" ? "encode" : phase,
        state: waiting ? "waiting for the server" : phase,
        fraction,
        speed,
        ...(bytes && { bytes: bytes.done, totalBytes: bytes.total }),
        ...(remainingSeconds !== undefined && { remainingSeconds }),
        ...(tracks && { tracks }),
      });
    },
    note() {},
    event: write,
    end() {},
  };
}

function lineReporter(stderr: Output, parts: Parts): Reporter {
  const pace = createLinePace();
  return {
    progress(progress) {
      const key = `${progress.phase} ${progress.waiting}`;
      if (pace.due(performance.now(), key, wholeFraction(progress, parts))) {
        stderr.write(`${renderLine(progress, parts)}\n`);
      }
    },
    note: (sentence) => void stderr.write(`${sentence}\n`),
    event() {},
    end() {},
  };
}

const redrawMs = 100;

function barReporter({ stderr, env }: Context, parts: Parts): Reporter {
  const look = lookOf(stderr, env);
  let drawn = false;
  let drawnAt = Number.NEGATIVE_INFINITY;
  let shown = "";
  const clear = () => {
    if (drawn) stderr.write("\r\x1b[K");
    drawn = false;
  };
  return {
    progress(progress) {
      const key = `${progress.phase} ${progress.waiting}`;
      if (key === shown && performance.now() - drawnAt < redrawMs) return;
      const style = {
        columns: look.columns(),
        unicode: look.unicode,
        paint: (text: string) => look.paint(progress.waiting ? "yellow" : "cyan", text),
      };
      stderr.write(`\r${renderBar(progress, parts, style)}\x1b[K`);
      [drawn, drawnAt, shown] = [true, performance.now(), key];
    },
    note(sentence) {
      clear();
      stderr.write(`${sentence}\n`);
    },
    event() {},
    end: clear,
  };
}
