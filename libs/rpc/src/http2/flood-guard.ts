import type { Limits } from "../limits.ts";
import { Budget } from "./budget.ts";
import { ConnectionFault, errorCode } from "./errors.ts";

/** What brings nothing: PING, SETTINGS, PRIORITY, empty DATA, kinds that nobody knows. */
const idleFrames = { burst: 10_000, perSecond: 500 };
/** Answers to PING and SETTINGS that a peer may leave untaken. */
const mostAcks = 1000;

/** Ends the connections of clients that keep a server busy with what costs them next to nothing. Each method throws a `ConnectionFault` once it is too much. */
export class FloodGuard {
  readonly #idle: Budget;
  readonly #resets: Budget;
  readonly #refusals: Budget;
  #acks = 0;

  constructor({ streamsPerConnection }: Limits) {
    const now = performance.now();
    // A client that gives up on what it asked for, over and over, is one under load as often as one that means harm (CVE-2023-44487).
    const resets = { burst: streamsPerConnection * 8, perSecond: streamsPerConnection * 2 };
    this.#idle = new Budget(idleFrames, now);
    this.#resets = new Budget(resets, now);
    this.#refusals = new Budget(resets, now);
  }

  /** A frame that brings nothing. */
  idle(): void {
    spend(this.#idle);
  }

  /** A stream that was reset, by the client or for what it has done. */
  reset(): void {
    spend(this.#resets);
  }

  /** A stream that there is no room for. */
  refusal(): void {
    spend(this.#refusals);
  }

  /** A frame that has to be acknowledged. `backlog`: bytes that the client hasn't taken yet. */
  acknowledgement(backlog: number): void {
    this.#acks = backlog === 0 ? 1 : this.#acks + 1;
    if (this.#acks > mostAcks) {
      throw new ConnectionFault(errorCode.enhanceYourCalm, "more answers than the client takes");
    }
  }
}

function spend(budget: Budget): void {
  if (!budget.spend(performance.now())) {
    throw new ConnectionFault(errorCode.enhanceYourCalm, "too much of what brings nothing");
  }
}
