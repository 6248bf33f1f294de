import type { Config } from "../config.ts";
import { packageOf, type ServiceContracts } from "../contracts/contract.ts";
import type { Migration } from "../image/migrations.ts";
import type { RecordStore } from "../records/record-store.ts";
import type { Service } from "../workspace/services.ts";
import { checkContracts, type Verdict } from "./check-contracts.ts";
import { faultsOfMigrations, migrationsRun } from "./check-migrations.ts";
import { findFormer } from "./compare.ts";
import type { Deployed } from "./deployed.ts";
import { askDeployed } from "./live.ts";
import { readDeployed } from "./recorded.ts";
import { type ContractTests, runContractTests } from "./run-contract-tests.ts";

/** All that is deployed: what the records say, and of the services that were asked what they say themselves. */
export async function findDeployed(
  records: RecordStore,
  environment: string,
  live: readonly string[],
  signal: AbortSignal,
): Promise<Deployed[]> {
  const asked = await Promise.all(live.map((url) => askDeployed(url, signal)));
  const names = new Set(asked.map(({ service }) => service));
  return [...readDeployed(records, environment).filter(({ service }) => !names.has(service)), ...asked];
}

/** The contract tests that deployed callers of the candidate have left in their records. */
export function testsOfCallers(
  records: RecordStore,
  environment: string,
  service: string,
  candidate: ServiceContracts,
): ContractTests[] {
  const served = new Set(candidate.provides?.services.map(packageOf));
  return records
    .services(environment)
    .filter((name) => name !== service)
    .flatMap((name) => {
      const record = records.current(environment, name);
      return (record?.calls ?? [])
        .filter((call) => call.services.some((called) => served.has(packageOf(called))))
        .flatMap(({ tests }) =>
          tests === null || !record
            ? []
            : [{ caller: name, source: `record ${record.number}`, program: records.getObject(environment, tests) }],
        );
    });
}

/** Whether a candidate gets along with what is deployed: by its contracts, and by what those who call it have written down that they rely on. */
export async function checkCandidate(options: {
  workspace: string;
  service: Service;
  candidate: ServiceContracts;
  deployed: readonly Deployed[];
  tests: readonly ContractTests[];
  config: Config;
  signal: AbortSignal;
}): Promise<Verdict> {
  const { workspace, service, candidate, deployed, tests, config, signal } = options;
  const verdict = await checkContracts(workspace, service.name, candidate, deployed, config.contracts.ignore, signal);
  if (findFormer(service.name, candidate, deployed) === undefined) {
    verdict.notes.push(
      `${service.name} isn't recorded here: there is nothing that it could break for callers from outside.`,
    );
  }
  if (tests.length === 0) return verdict;
  const problems = await runContractTests(workspace, service, tests, config.behaviour, signal);
  const checked = tests.map(({ caller, source }) => `contract tests of ${caller} (${source})`);
  return { ...verdict, problems: [...verdict.problems, ...problems], checked: [...verdict.checked, ...checked] };
}

/** Adds to a verdict what the migrations of a version mean for the database that the environment's records tell of. */
export function addMigrations(
  verdict: Verdict,
  records: RecordStore,
  environment: string,
  service: string,
  migrations: readonly Migration[] | null,
): void {
  const known = migrationsRun(records, environment, service);
  if (migrations === null && known === undefined) return;
  if (migrations === null || known === undefined) {
    const who = known === undefined ? "No record says" : "This version doesn't say";
    verdict.notes.push(`${who} which migrations ${service} runs: not checked.`);
    return;
  }
  verdict.problems.push(...faultsOfMigrations(service, migrations, known.ran, known.running));
  verdict.checked.push(`migrations of ${service} (${known.ran.length} have run)`);
}

/** A verdict for people. */
export function describeVerdict(service: string, environment: string, { problems, notes, checked }: Verdict): string {
  const answer =
    problems.length === 0
      ? `${service} can be deployed to ${environment}.`
      : `${service} can't be deployed to ${environment}:`;
  return [
    answer,
    ...problems.map((problem) => `- ${problem}`),
    ...checked.map((what) => `checked: ${what}`),
    ...notes.map((note) => `note: ${note}`),
  ].join("\n");
}
