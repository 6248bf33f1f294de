import type { Contract, ServiceContracts } from "../contracts/contract.ts";
import type { ContractRecord, ServiceRecord } from "../records/record.ts";
import type { RecordStore } from "../records/record-store.ts";
import type { Deployed } from "./deployed.ts";

/** What an environment's records say that it runs. @throws DeployError for a record that can't be read: not to know a caller is no reason to break it */
export function readDeployed(records: RecordStore, environment: string): Deployed[] {
  return records.services(environment).flatMap((service) => {
    const record = records.current(environment, service);
    return record ? [{ service, source: `record ${record.number}`, ...contractsOfRecord(records, record) }] : [];
  });
}

/** The contracts that a record names. @throws DeployError when one of them is missing or damaged */
export function contractsOfRecord(
  records: RecordStore,
  { environment, provides, calls }: ServiceRecord,
): ServiceContracts {
  const contract = ({ services, descriptor }: ContractRecord): Contract => ({
    services,
    descriptor: records.getObject(environment, descriptor),
  });
  return {
    provides: provides ? contract(provides) : undefined,
    calls: calls.map((call) => ({ ...contract(call), uses: call.uses ?? undefined })),
  };
}
