import type { TrackResult } from "@kinora/media";

/** Tells the encoder how far a track is uploaded while it is made. */
export type Growth = {
  /** The track as far as it is made. */
  made(track: TrackResult): void;
  /** A file of it has arrived. */
  uploaded(path: string): void;
  close(): void;
};

/** Told at most this often. */
const intervalMs = 1_000;

/**
 * Tells of a track's segments once they and all before them have arrived. One call at a time: the next one says all that has happened meanwhile. What isn't told is in the task's result
 * anyway.
 */
export function createGrowth(options: {
  tell: (track: TrackResult) => Promise<unknown>;
  onFailure: (error: unknown) => void;
}): Growth {
  const arrived = new Set<string>();
  let track: TrackResult | undefined;
  let complete = 0;
  let told = 0;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;

  const advance = () => {
    if (!track || !arrived.has(`${track.name}/init.mp4`)) return;
    while (complete < track.segments.length && arrived.delete(`${track.name}/${complete + 1}.m4s`)) complete++;
    if (complete > told && !timer && !isClosed) tell(track);
  };
  const tell = (whole: TrackResult) => {
    const segments = whole.segments.slice(0, complete);
    told = complete;
    const frames = segments.reduce((sum, segment) => sum + (segment.frames ?? 0), 0);
    const rest = new Promise((resolve) => {
      timer = setTimeout(resolve, intervalMs);
    });
    Promise.all([options.tell({ ...whole, segments, frames }), rest])
      .then(() => {
        timer = undefined;
        advance();
      })
      .catch((error) => {
        if (!isClosed) options.onFailure(error);
      });
  };
  return {
    made(next) {
      track = next;
      advance();
    },
    uploaded(path) {
      arrived.add(path);
      advance();
    },
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
