import { DeployError } from "../deploy-error.ts";
import type { Deployed } from "./deployed.ts";

/** Where a running service tells its contracts. */
export const contractsPath = "/.well-known/contracts";

const timeoutMs = 10_000;
const maxBytes = 16 << 20;

type Told = {
  service: string;
  provides: { services: string[]; descriptor: string } | null;
  calls: { services: string[]; descriptor: string; uses: string[] | null }[];
};

/** Asks a running service what it serves and what it was built to call. @throws DeployError when it doesn't say */
export async function askDeployed(url: string, signal: AbortSignal): Promise<Deployed> {
  if (!URL.canParse(contractsPath, url))
    throw new DeployError(`--live: "${url}" is no address such as http://host:port.`);
  const address = new URL(contractsPath, url);
  let told: Told;
  try {
    const answer = await fetch(address, { signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) });
    if (!answer.ok) throw new Error(`it answers ${answer.status}`);
    const text = await answer.text();
    if (text.length > maxBytes) throw new Error(`its answer has more than ${maxBytes} bytes`);
    told = JSON.parse(text);
    if (!isTold(told)) throw new Error("its answer has another form");
  } catch (error) {
    throw new DeployError(`${address} doesn't tell its contracts: ${describe(error)}.`);
  }
  const contract = ({ services, descriptor }: { services: string[]; descriptor: string }) => ({
    services,
    descriptor: Buffer.from(descriptor, "base64"),
  });
  return {
    service: told.service,
    source: url,
    provides: told.provides ? contract(told.provides) : undefined,
    calls: told.calls.map((call) => ({ ...contract(call), uses: call.uses ?? undefined })),
  };
}

function isTold(value: unknown): value is Told {
  const told = value as Partial<Told> | null;
  const isContract = (part: unknown): boolean => {
    const { services, descriptor } = (part ?? {}) as { services?: unknown; descriptor?: unknown };
    return (
      Array.isArray(services) && services.every((name) => typeof name === "string") && typeof descriptor === "string"
    );
  };
  return (
    typeof told?.service === "string" &&
    (told.provides === null || isContract(told.provides)) &&
    Array.isArray(told.calls) &&
    told.calls.every((call) => isContract(call) && (call.uses === null || Array.isArray(call.uses)))
  );
}

function describe(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? `${message} (${cause.message})` : message;
}
