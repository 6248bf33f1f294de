import type { ServiceHash } from "../hash/hash-services.ts";
import { reasonsFor } from "./reasons.ts";

/** What is known of one service in an environment. */
export type Known =
  | { state: "none" }
  | { state: "recorded"; hash: string; inputs: Record<string, string>; settings: Record<string, string> }
  /** There is a record, and it can't be read. */
  | { state: "unreadable"; fault: string };

/** A service as it would go out. */
export type Candidate = { service: string; settings: Record<string, string> } & Partial<ServiceHash>;

/** A service that goes out; `hash` is null when Nx couldn't tell. */
export type Due = { service: string; hash: string | null; reasons: string[] };

/** Which services an environment lacks. */
export type Plan = {
  environment: string;
  include: Due[];
  unchanged: string[];
  /** Why everything goes out, when that had to be assumed. */
  everything: string | null;
};

/**
 * A service is due unless it is certain that it isn't: its hash is known, the record is readable, and both are the same. A deploy that failed has no record, so
 * it stays due.
 */
export function makePlan(
  environment: string,
  candidates: readonly Candidate[],
  known: (service: string) => Known,
  fault: string | undefined,
): Plan {
  const all = candidates.map((candidate) => ({
    candidate,
    reasons: reasons(candidate, known(candidate.service), fault),
  }));
  return {
    environment,
    include: all
      .filter((entry) => entry.reasons.length > 0)
      .map(({ candidate, reasons }) => ({ service: candidate.service, hash: candidate.hash ?? null, reasons })),
    unchanged: all.filter((entry) => entry.reasons.length === 0).map(({ candidate }) => candidate.service),
    everything: fault ?? null,
  };
}

function reasons(candidate: Candidate, known: Known, fault: string | undefined): string[] {
  if (fault !== undefined || candidate.hash === undefined) return [fault ?? "its hash isn't known"];
  if (known.state === "none") return ["nothing is recorded: it was never deployed here"];
  if (known.state === "unreadable") return [known.fault];
  const settings = reasonsFor(known.settings, candidate.settings);
  if (candidate.hash === known.hash) return settings;
  const inputs = reasonsFor(known.inputs, candidate.inputs ?? {});
  const unexplained =
    inputs.length === 0 ? ["Nx hashes it otherwise (another Nx, or another way to make the image)"] : [];
  return [...inputs, ...unexplained, ...settings];
}
