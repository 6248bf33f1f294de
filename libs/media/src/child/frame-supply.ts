import { Frame } from "node-av/lib";

/** Frames for FFmpeg to fill. Every second time that one is asked for there is nothing to fill it with; then it serves the next time. */
export type FrameSupply = {
  /** An empty frame, the taker's. */
  take(): Frame;
  /** Takes an empty frame back. */
  giveBack(frame: Frame): void;
  close(): void;
};

export function createFrameSupply(): FrameSupply {
  let spare: Frame | undefined;
  return {
    take() {
      const frame = spare ?? newFrame();
      spare = undefined;
      return frame;
    },
    giveBack(frame) {
      spare?.free();
      spare = frame;
    },
    close() {
      spare?.free();
      spare = undefined;
    },
  };
}

function newFrame(): Frame {
  const frame = new Frame();
  frame.alloc();
  return frame;
}
