import { create } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import type { Finding } from "../contracts/buf.ts";
import { type CalledContract, packageOf, type ServiceContracts } from "../contracts/contract.ts";
import { extractServices, readDescriptorSet, writeDescriptorSet } from "../contracts/descriptor-set.ts";
import { narrow } from "../contracts/narrow.ts";
import type { Deployed } from "./deployed.ts";

/** One comparison that has to hold: whoever was built with `against` is answered by `offered`. */
export type Comparison = {
  /** Who breaks if it doesn't: the name of a service, or undefined for callers that nobody records (browsers, scripts, the command line). */
  caller: string | undefined;
  /** Who would break them. */
  provider: string;
  /** How what is deployed is known. */
  source: string;
  offered: Uint8Array;
  against: Uint8Array;
};

/** What a candidate has to be compared with, and what can't be. */
export type Comparisons = { comparisons: Comparison[]; notes: string[] };

/**
 * The comparisons for a candidate among what is deployed:
 * - as a provider, its contract against what each deployed caller was built with, as far as that one uses it, and against the contract that it has deployed itself, for callers that
 *   nobody records. What the deployed contract calls deprecated may go from the latter;
 * - as a consumer, what each deployed provider offers against what the candidate uses.
 */
export function comparisonsFor(
  service: string,
  candidate: ServiceContracts,
  deployed: readonly Deployed[],
): Comparisons {
  const others = deployed.filter((entry) => entry.service !== service);
  const own = findFormer(service, candidate, deployed);
  const comparisons: Comparison[] = [];
  const compare = (
    names: Pick<Comparison, "caller" | "provider" | "source">,
    provides: ServiceContracts["provides"],
    against: Uint8Array,
  ): void => {
    comparisons.push({ ...names, offered: offeredBy(provides, against, names.provider), against });
  };
  const notes: string[] = [];

  if (own?.provides) {
    const against = withoutDeprecated(own.provides.descriptor, service);
    compare({ caller: undefined, provider: service, source: own.source }, candidate.provides, against);
  }
  const served = new Set([...(candidate.provides?.services ?? []), ...(own?.provides?.services ?? [])].map(packageOf));
  for (const other of others) {
    for (const call of other.calls) {
      if (!call.services.some((name) => served.has(packageOf(name)))) continue;
      const against = methodsUsed(call, other.service);
      compare({ caller: other.service, provider: service, source: other.source }, candidate.provides, against);
    }
  }
  for (const call of candidate.calls) {
    const packages = new Set(call.services.map(packageOf));
    const providers = others.filter((other) => other.provides?.services.some((name) => packages.has(packageOf(name))));
    if (providers.length === 0) {
      notes.push(`Nothing recorded serves ${call.services.join(", ")}, which ${service} calls: not checked.`);
    }
    for (const provider of providers) {
      const against = allUsed(call, service);
      compare({ caller: service, provider: provider.service, source: provider.source }, provider.provides, against);
    }
  }
  return { comparisons, notes };
}

/**
 * What a candidate takes the place of: the same service as it is deployed, or else the part of a process that serves its packages among others, which is a monolith that the service
 * leaves, with its callers.
 */
export function findFormer(
  service: string,
  candidate: ServiceContracts,
  deployed: readonly Deployed[],
): Deployed | undefined {
  const same = deployed.find((entry) => entry.service === service);
  if (same) return same;
  const packages = new Set(candidate.provides?.services.map(packageOf));
  for (const { provides, ...whole } of deployed) {
    const services = provides?.services.filter((name) => packages.has(packageOf(name))) ?? [];
    if (provides === undefined || services.length === 0) continue;
    const part = extractServices(readDescriptorSet(provides.descriptor, whole.service), services);
    return { ...whole, provides: { services, descriptor: writeDescriptorSet(part) } };
  }
  return undefined;
}

/** A finding in words: what, and whom it breaks. */
export function describeFinding({ caller, provider, source }: Comparison, finding: Finding): string {
  const rule = `${finding.message} [${finding.rule}]`;
  if (caller === undefined) {
    return `${provider} would break its callers from outside (its own contract in ${source}): ${rule}`;
  }
  return `${caller} would break: ${provider} doesn't offer what it was built to call (${source}): ${rule}`;
}

/**
 * What the provider offers, with an empty file for each package that it no longer has: a package that is gone whole
 * is one that buf's rules about services have nothing to say of.
 */
function offeredBy(provider: ServiceContracts["provides"], against: Uint8Array, origin: string): Uint8Array {
  const offered = provider ? readDescriptorSet(provider.descriptor, origin).file : [];
  const packages = new Set(readDescriptorSet(against, origin).file.map((file) => file.package));
  for (const file of offered) packages.delete(file.package);
  const empty = [...packages].map((name) =>
    create(FileDescriptorProtoSchema, { name: `${name}.empty.proto`, package: name, syntax: "proto3" }),
  );
  return writeDescriptorSet(create(FileDescriptorSetSchema, { file: [...offered, ...empty] }));
}

function withoutDeprecated(descriptor: Uint8Array, origin: string): Uint8Array {
  const set = narrow(readDescriptorSet(descriptor, origin), { method: (_name, deprecated) => !deprecated });
  return writeDescriptorSet(set);
}

/** Of a deployed caller: its methods. Its messages stay whole, because a program may read a field without naming it. */
function methodsUsed({ descriptor, services, uses }: CalledContract, origin: string): Uint8Array {
  const set = readDescriptorSet(descriptor, origin);
  const called = (name: string): boolean => services.includes(packageOf(name)) && (uses?.includes(name) ?? true);
  return writeDescriptorSet(narrow(set, { method: called }));
}

/**
 * Of a candidate: its methods and the fields that it names. With whole messages, a field that the provider's team added and didn't deploy yet would
 * hold back a caller that has never heard of it.
 */
function allUsed({ descriptor, services, uses }: CalledContract, origin: string): Uint8Array {
  const set = readDescriptorSet(descriptor, origin);
  if (uses === undefined) return methodsUsed({ descriptor, services, uses }, origin);
  const names = new Set(uses);
  const foreign = set.file.filter((file) => !services.some((name) => packageOf(name) === file.package));
  const outside = foreign.map((file) => `${file.package}.`);
  return writeDescriptorSet(
    narrow(set, {
      method: (name) => services.includes(packageOf(name)) && names.has(name),
      field: (name) => names.has(name) || outside.some((prefix) => name.startsWith(prefix)),
    }),
  );
}
