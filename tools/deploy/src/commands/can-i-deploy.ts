import { describeContracts } from "../contracts/describe-contracts.ts";
import { addMigrations, checkCandidate, describeVerdict, findDeployed, testsOfCallers } from "../gate/gate.ts";
import { readMigrations } from "../image/migrations.ts";
import { type Context, type ExitCode, namedService } from "./context.ts";

/** `can-i-deploy`: whether the working tree's version of a service gets along with what an environment runs. */
export async function canIDeploy(context: Context): Promise<ExitCode> {
  const { workspace, config, records, print, signal } = context;
  const { env, live, json, "skip-behaviour": skip } = context.arguments.values;
  const service = namedService(context);
  const deployed = await findDeployed(records, env, live, signal);
  const candidate = await describeContracts(workspace, service.root, config.contracts, signal);
  const tests = skip ? [] : testsOfCallers(records, env, service.name, candidate);
  const verdict = await checkCandidate({ workspace, service, candidate, deployed, tests, config, signal });
  addMigrations(verdict, records, env, service.name, await readMigrations(workspace, service));
  const ok = verdict.problems.length === 0;
  print(
    json
      ? JSON.stringify({ service: service.name, environment: env, ok, ...verdict })
      : describeVerdict(service.name, env, verdict),
  );
  return ok ? 0 : 1;
}
