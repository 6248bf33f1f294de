import { readFile } from "node:fs/promises";
import { EncodeState } from "@kinora/proto-encoder";
import { sampleVideo, waitUntil } from "@kinora/testing";
import type { Person } from "./load.ts";

/** An encode that somebody waits for. */
export type Encode = { id: string; videoId: string; name: string };

/** Sends the sample and starts its encode. */
export async function startEncode({ encoder, token }: Person, name: string): Promise<Encode> {
  const bytes = await readFile(sampleVideo);
  const { video, uploadUrl } = await encoder.createVideo({ name, sizeBytes: BigInt(bytes.length) });
  const answer = await fetch(uploadUrl, {
    method: "PATCH",
    body: bytes,
    headers: {
      authorization: `Bearer ${token()}`,
      "tus-resumable": "1.0.0",
      "upload-offset": "0",
      "content-type": "application/offset+octet-stream",
    },
  });
  if (!answer.ok) throw new Error(`${name}: the upload answered ${answer.status}: ${await answer.text()}`);
  const { encode } = await encoder.startEncode({ videoId: video?.id ?? "" });
  if (video === undefined || encode === undefined) throw new Error(`${name}: an answer was empty.`);
  return { id: encode.id, videoId: video.id, name };
}

/** Waits until a worker is at work on it. */
export async function underWay({ encoder }: Person, { id, name }: Encode, patienceMs: number): Promise<void> {
  await waitUntil(
    `a worker encodes ${name}`,
    async () => {
      const { encode } = await encoder.getEncode({ id });
      return encode !== undefined && encode.state >= EncodeState.ENCODING;
    },
    patienceMs,
  );
}

/** How an encode ended: undefined if it succeeded and its stream can be played, else what is wrong. */
export async function faultOf(
  { encoder }: Person,
  { id, name }: Encode,
  patienceMs: number,
): Promise<string | undefined> {
  const final: EncodeState[] = [EncodeState.SUCCEEDED, EncodeState.FAILED, EncodeState.CANCELLED];
  const encode = await waitUntil(
    `${name} ends`,
    async () => {
      const { encode } = await encoder.getEncode({ id });
      return encode !== undefined && final.includes(encode.state) && encode;
    },
    patienceMs,
  ).catch(async () => (await encoder.getEncode({ id })).encode);
  if (encode?.state !== EncodeState.SUCCEEDED) {
    return `${name}: it is ${nameOf(encode?.state)}. ${encode?.error ?? ""}`;
  }
  const playlist = await fetch(encode.playback?.hlsUrl ?? "");
  if (!playlist.ok || !(await playlist.text()).startsWith("#EXTM3U")) return `${name}: its stream can't be played`;
  return undefined;
}

function nameOf(state: EncodeState | undefined): string {
  return Object.entries(EncodeState).find(([, value]) => value === state)?.[0] ?? "gone";
}
