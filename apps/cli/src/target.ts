import { Code, ConnectError } from "@connectrpc/connect";
import type { Encode, Video } from "@kinora/proto-encoder";
import type { EncoderClient } from "./clients.ts";
import { CliError, UsageError } from "./errors.ts";

/** What an identifier stands for. */
export type Target = { kind: "video"; video: Video } | { kind: "encode"; encode: Encode };

/** Finds the video, or else the encode, that an identifier stands for. */
export async function findTarget(encoder: EncoderClient, id: string, signal: AbortSignal): Promise<Target> {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) {
    throw new UsageError(`"${id}" is no ID. "kinora list" shows the IDs of your videos.`);
  }
  const video = await orNone(encoder.getVideo({ id }, { signal }));
  if (video?.video) return { kind: "video", video: video.video };
  const encode = await orNone(encoder.getEncode({ id }, { signal }));
  if (encode?.encode) return { kind: "encode", encode: encode.encode };
  throw new CliError(`You have no video and no encode with the ID ${id}. "kinora list" shows what you have.`);
}

/** The encode that an identifier stands for: its own, or its video's last one. */
export async function findEncode(encoder: EncoderClient, id: string, signal: AbortSignal): Promise<Encode> {
  const target = await findTarget(encoder, id, signal);
  if (target.kind === "encode") return target.encode;
  if (target.video.latestEncode) return target.video.latestEncode;
  throw new CliError(
    `The video ${id} has not been encoded yet: its upload was broken off, or nobody started an encode.`,
  );
}

async function orNone<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (ConnectError.from(error).code === Code.NotFound) return undefined;
    throw error;
  }
}
