import type { CalledContract, Contract } from "../contracts/contract.ts";

/** A service that runs in the environment, as far as the gate has to know it. */
export type Deployed = {
  service: string;
  /** How we know: "record 3", "http://…". */
  source: string;
  provides: Contract | undefined;
  calls: CalledContract[];
};
