/** A contract as it is compared: names of services, and their descriptors. */
export type Contract = {
  /** Full names, sorted: "user.v1.QuotaService". */
  services: string[];
  /** A google.protobuf.FileDescriptorSet of the files that hold them and all that these import. */
  descriptor: Uint8Array;
};

/** A contract that a service was built to call. */
export type CalledContract = Contract & {
  /** Full names of the methods and fields that its code names, sorted; undefined when it may be any. */
  uses: string[] | undefined;
};

/** What a service serves and calls. */
export type ServiceContracts = {
  /** Undefined when it serves nothing that others call. */
  provides: Contract | undefined;
  /** One for each package of services that it calls, sorted. */
  calls: CalledContract[];
};

/** "user.v1" of "user.v1.QuotaService". */
export function packageOf(service: string): string {
  return service.slice(0, service.lastIndexOf("."));
}
