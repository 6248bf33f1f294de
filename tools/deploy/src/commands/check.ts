import { checkContracts } from "../gate/check-contracts.ts";
import { readDeployed } from "../gate/recorded.ts";
import type { Context, ExitCode } from "./context.ts";

/**
 * `check`: whether all that an environment runs gets along. Two deploys that were each checked against what ran before can break one another if they went out at the same time; whoever
 * records last sees both.
 */
export async function check(context: Context): Promise<ExitCode> {
  const { workspace, config, records, print, signal } = context;
  const { env, json } = context.arguments.values;
  const deployed = readDeployed(records, env);
  const problems: string[] = [];
  const checked: string[] = [];
  for (const candidate of deployed) {
    // Each as a caller: as a provider it is met when the others are looked at.
    const callers = deployed
      .filter(({ service }) => service !== candidate.service)
      .map((other) => ({ ...other, calls: [] }));
    const verdict = await checkContracts(
      workspace,
      candidate.service,
      candidate,
      callers,
      config.contracts.ignore,
      signal,
    );
    problems.push(...verdict.problems);
    checked.push(...verdict.checked);
  }
  const ok = problems.length === 0;
  if (json) print(JSON.stringify({ environment: env, ok, problems, checked }));
  else if (deployed.length === 0) print(`${env} has no records.`);
  else {
    print(ok ? `What ${env} runs gets along.` : `What ${env} runs doesn't get along:`);
    for (const problem of problems) print(`- ${problem}`);
    for (const what of checked) print(`checked: ${what}`);
  }
  return ok ? 0 : 1;
}
