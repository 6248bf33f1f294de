import { readNumber } from "../cli/arguments.ts";
import { DeployError } from "../deploy-error.ts";
import { checkContracts } from "../gate/check-contracts.ts";
import { addMigrations, describeVerdict, findDeployed } from "../gate/gate.ts";
import { contractsOfRecord } from "../gate/recorded.ts";
import { type Context, type ExitCode, namedService } from "./context.ts";

/**
 * `rollback`: whether an earlier record may run again among what runs now, and its image. The neighbours may have moved on since, so it goes
 * through the same gate; its contract tests don't run, because they need its sources.
 */
export async function rollback(context: Context): Promise<ExitCode> {
  const { workspace, config, records, print, signal } = context;
  const { env, json, to: given, live } = context.arguments.values;
  const { name } = namedService(context);
  const [, previous] = records.numbers(env, name);
  const to = readNumber("to", given) ?? previous;
  if (to === undefined) throw new DeployError(`${env} has no earlier record of ${name} to go back to.`);
  const record = records.get(env, name, to);
  const deployed = await findDeployed(records, env, live, signal);
  // Not against its own contract of today: whatever was added since is what a rollback takes back.
  const neighbours = deployed.filter(({ service }) => service !== name);
  const contracts = contractsOfRecord(records, record);
  const verdict = await checkContracts(workspace, name, contracts, neighbours, config.contracts.ignore, signal);
  addMigrations(verdict, records, env, name, record.migrations ?? null);
  verdict.notes.push(`Callers from outside lose what ${name} has offered since record ${to}.`);
  const ok = verdict.problems.length === 0;
  if (json) {
    print(
      JSON.stringify({
        service: name,
        environment: env,
        ok,
        to,
        image: record.image,
        commit: record.commit,
        ...verdict,
      }),
    );
  } else {
    print(describeVerdict(`${name} as of record ${to}`, env, verdict));
    if (ok) {
      print(`Deploy ${record.image}, then: kinora-deploy record ${name} --env ${env} --rollback-to ${to} --health URL`);
    }
  }
  return ok ? 0 : 1;
}
