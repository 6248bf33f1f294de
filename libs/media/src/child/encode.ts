import type { ByteSource } from "../source/byte-source.ts";
import type { EncodePlan, StreamResult } from "../types.ts";
import type { Delivery } from "./delivery.ts";

export type EncodeOptions = {
  source: ByteSource;
  plan: EncodePlan;
  delivery: Delivery;
  onProgress: (progress: { frames: number; fraction: number; mediaSeconds: number }) => void;
};

export async function encode({ source }: EncodeOptions): Promise<StreamResult> {
  throw new Error(`not written yet ${source.size}`);
}
