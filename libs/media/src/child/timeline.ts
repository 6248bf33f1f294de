import { AV_NOPTS_VALUE } from "node-av/constants";
import type { IRational, Packet } from "node-av/lib";

/** A jump ahead beyond this is a new start of the clock, not a pause; FFmpeg's own figure for such containers (dts_delta_threshold). */
const aheadSeconds = 10;

/** Decode times never go back, but for rounding. */
const backSeconds = 0.1;

type TimedPacket = Pick<Packet, "pts" | "dts" | "duration">;
type TimedStream = { index: number; timeBase: IRational };

/**
 * Broadcast recordings may contain places where the clock starts anew, as after a splice. Returns a function that moves a packet's times so that they run
 * on; both tracks move together, so that they stay in step.
 */
export function createTimeline(onJump: () => void = () => {}): (packet: TimedPacket, stream: TimedStream) => void {
  let offsetSeconds = 0;
  const expected = new Map<number, number>();
  return (packet, stream) => {
    const { num, den } = stream.timeBase;
    const isDecodeTime = packet.dts !== AV_NOPTS_VALUE;
    const time = isDecodeTime ? packet.dts : packet.pts;
    if (time === AV_NOPTS_VALUE) return;
    const seconds = (Number(time) * num) / den;
    const due = expected.get(stream.index);
    const jump = due === undefined ? 0 : seconds + offsetSeconds - due;
    if (due !== undefined && (jump > aheadSeconds || jump < (isDecodeTime ? -backSeconds : -aheadSeconds))) {
      offsetSeconds = due - seconds;
      onJump();
    }
    const offset = BigInt(Math.round((offsetSeconds * den) / num));
    if (packet.pts !== AV_NOPTS_VALUE) packet.pts += offset;
    if (packet.dts !== AV_NOPTS_VALUE) packet.dts += offset;
    expected.set(stream.index, seconds + offsetSeconds + (Number(packet.duration) * num) / den);
  };
}
