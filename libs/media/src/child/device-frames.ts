import { AV_HWDEVICE_TYPE_VAAPI, AV_PIX_FMT_NV12, AV_PIX_FMT_VAAPI } from "node-av/constants";
import { type CodecContext, Frame, HardwareDeviceContext, HardwareFramesContext } from "node-av/lib";
import { check } from "./av.ts";

/** Pictures in a GPU's memory, for encoders that take no others. */
export type DeviceFrames = {
  /** Has an encoder take its pictures from there. */
  attach(context: CodecContext): void;
  /** Copies a picture there, and frees it. */
  upload(picture: Frame): Promise<Frame>;
  close(): void;
};

/** Pictures that an encoder may hold at once. */
const poolSize = 20;

/** Opens the machine's first VAAPI device with room for pictures of this size. Rejects where there is none. */
export function openDeviceFrames({ width, height }: { width: number; height: number }): DeviceFrames {
  const device = new HardwareDeviceContext();
  check(device.create(AV_HWDEVICE_TYPE_VAAPI), "open a VAAPI device");
  const frames = new HardwareFramesContext();
  frames.alloc(device);
  frames.format = AV_PIX_FMT_VAAPI;
  frames.swFormat = AV_PIX_FMT_NV12;
  frames.width = width;
  frames.height = height;
  frames.initialPoolSize = poolSize;
  check(frames.init(), "have room for pictures on a VAAPI device");
  return {
    attach(context) {
      context.pixelFormat = AV_PIX_FMT_VAAPI;
      context.hwFramesCtx = frames;
    },
    async upload(picture) {
      const uploaded = new Frame();
      uploaded.alloc();
      check(frames.getBuffer(uploaded), "take a picture of a VAAPI device");
      check(await frames.transferData(uploaded, picture), "copy a picture to a VAAPI device");
      check(uploaded.copyProps(picture), "copy a picture to a VAAPI device");
      picture.free();
      return uploaded;
    },
    close() {
      frames.free();
      device.free();
    },
  };
}
