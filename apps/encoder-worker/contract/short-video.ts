import type { MessageInitShape } from "@bufbuild/protobuf";
import type { FrameTableSchema, MediaInfoSchema } from "@kinora/proto-encoder";

/** What we would find in a video of 10 s, 24 pictures a second, without sound. */
export const media: MessageInitShape<typeof MediaInfoSchema> = {
  format: "mov,mp4,m4a,3gp,3g2,mj2",
  durationSeconds: 10,
  video: {
    codec: "h264",
    width: 640,
    height: 360,
    sampleAspectRatio: { num: 1, den: 1 },
    frameRate: { num: 24, den: 1 },
    frameCount: 240,
    frameCountExact: true,
    pixelFormat: "yuv420p",
    colorTransfer: "bt709",
    timeBase: { num: 1, den: 24 },
    seekable: true,
  },
};

/** Every frame of it. */
export const frames: MessageInitShape<typeof FrameTableSchema> = {
  timeBase: { num: 1, den: 24 },
  frameCount: 240,
  endPts: 240n,
  runFrames: [240],
  runDeltas: [1n],
  keyframePts: [0n],
};
