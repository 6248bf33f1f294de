/** What is known of a peer's doings at one moment. Counts only ever grow. */
export type Movement = {
  /** The peer still has to send, and could: nothing waits to be read, and flow control lets it. */
  owesBody: boolean;
  /** Bytes that wait for the peer to take them. */
  untaken: number;
  /** The answer is out though the peer is still to send. */
  answeredEarly: boolean;
  received: number;
  sent: number;
};

/** How long a peer may let us wait, in milliseconds. */
export type StallLimits = { stallMs: number; lingerMs: number };

/** Says, looked at now and then, whether a peer stalls. `now` in milliseconds, of any clock that doesn't go back. */
export type StallMeter = (movement: Movement, now: number) => boolean;

// What even a slow line takes. A write shows no progress until all of it is out, so large ones get time by their size.
const slowestBytesPerMs = 64;

/**
 * Whether a peer has let us wait too long: for a body while nothing moved either way, for room for its answer, or, once it was answered, for the rest of what it
 * sends. While it waits for us, it may wait as long as it likes.
 */
export function createStallMeter(limits: StallLimits, start: number): StallMeter {
  let received = 0;
  let sent = 0;
  let movedAt = start;
  let takenAt = start;
  let answeredAt: number | undefined;
  return (movement, now) => {
    const sentMore = movement.sent !== sent;
    if (sentMore || movement.received !== received || !movement.owesBody) {
      movedAt = now;
    }
    if (sentMore || movement.untaken === 0) {
      takenAt = now;
    }
    answeredAt = movement.answeredEarly ? (answeredAt ?? now) : undefined;
    received = movement.received;
    sent = movement.sent;
    return (
      now - movedAt >= limits.stallMs ||
      now - takenAt >= limits.stallMs + movement.untaken / slowestBytesPerMs ||
      (answeredAt !== undefined && now - answeredAt >= limits.lingerMs)
    );
  };
}
