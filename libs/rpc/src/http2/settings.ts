import { ConnectionFault, errorCode } from "./errors.ts";
import { maxPayloadBytes } from "./frame.ts";

/** Numbers of settings (RFC 9113, section 6.5.2). */
export const settingId = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
} as const;

/** Windows and their increments are numbers of 31 bits. */
export const maxWindowBytes = 2 ** 31 - 1;

/** What applies until a peer says otherwise. */
export const defaultWindowBytes = 65_535;
export const defaultHeaderTableBytes = 4096;

/** What of a peer's settings matters to a server of ours: it never pushes, and its frames are of the least size that there is. */
export type PeerSettings = { headerTableBytes: number; windowBytes: number };

/** Reads the payload of a SETTINGS frame into `settings`. Throws a `ConnectionFault` for values that may not be. */
export function readSettings(from: Buffer, start: number, end: number, settings: PeerSettings): void {
  for (let at = start; at < end; at += 6) {
    const value = from.readUInt32BE(at + 2);
    switch (from.readUInt16BE(at)) {
      case settingId.headerTableSize:
        settings.headerTableBytes = value;
        break;
      case settingId.enablePush:
        if (value > 1) {
          throw new ConnectionFault(errorCode.protocol, "ENABLE_PUSH must be 0 or 1");
        }
        break;
      case settingId.initialWindowSize:
        if (value > maxWindowBytes) {
          throw new ConnectionFault(errorCode.flowControl, "INITIAL_WINDOW_SIZE is beyond 31 bits");
        }
        settings.windowBytes = value;
        break;
      case settingId.maxFrameSize:
        if (value < maxPayloadBytes || value > 2 ** 24 - 1) {
          throw new ConnectionFault(errorCode.protocol, "MAX_FRAME_SIZE must be from 2^14 to 2^24 - 1");
        }
        break;
    }
  }
}

/** The payload of a SETTINGS frame: numbers and values in turn. */
export function settingsPayload(settings: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = Buffer.alloc(settings.length * 6);
  settings.forEach(([id, value], i) => {
    payload.writeUInt16BE(id, i * 6);
    payload.writeUInt32BE(value, i * 6 + 2);
  });
  return payload;
}
