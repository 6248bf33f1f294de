import { findBreaking } from "../contracts/buf.ts";
import type { ServiceContracts } from "../contracts/contract.ts";
import { comparisonsFor, describeFinding } from "./compare.ts";
import type { Deployed } from "./deployed.ts";

/** What a check found: problems are reasons for no; notes say what couldn't be checked. */
export type Verdict = { problems: string[]; notes: string[]; checked: string[] };

/** Compares a candidate's contracts with all that is deployed. @throws DeployError when a comparison can't be made */
export async function checkContracts(
  workspace: string,
  service: string,
  candidate: ServiceContracts,
  deployed: readonly Deployed[],
  ignore: readonly string[],
  signal?: AbortSignal,
): Promise<Verdict> {
  const { comparisons, notes } = comparisonsFor(service, candidate, deployed);
  const found = await Promise.all(
    comparisons.map(async (comparison) => {
      const findings = await findBreaking(workspace, comparison.offered, comparison.against, ignore, signal);
      return findings.map((finding) => describeFinding(comparison, finding));
    }),
  );
  const problems = found.flat();
  const checked = comparisons.map(
    ({ caller, provider, source }) => `${caller ?? "callers from outside"} → ${provider} (${source})`,
  );
  return { problems, notes, checked };
}
