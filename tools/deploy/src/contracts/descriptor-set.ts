import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { type FileDescriptorProto, type FileDescriptorSet, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { DeployError } from "../deploy-error.ts";

/** @throws DeployError when the bytes are no descriptors; `origin` says whose */
export function readDescriptorSet(bytes: Uint8Array, origin: string): FileDescriptorSet {
  try {
    return fromBinary(FileDescriptorSetSchema, bytes);
  } catch (error) {
    throw new DeployError(`The contract of ${origin} can't be read: ${(error as Error).message}`);
  }
}

export function writeDescriptorSet(set: FileDescriptorSet): Uint8Array {
  return toBinary(FileDescriptorSetSchema, set);
}

/** The files that hold these services, and whatever they import, in the order that they came. @throws DeployError for a service that isn't there */
export function extractServices(set: FileDescriptorSet, services: readonly string[]): FileDescriptorSet {
  const byName = new Map(set.file.map((file) => [file.name, file]));
  const wanted = new Set<string>();
  const visit = (name: string): void => {
    if (wanted.has(name)) return;
    wanted.add(name);
    for (const imported of byName.get(name)?.dependency ?? []) visit(imported);
  };
  for (const service of services) {
    const home = set.file.find((file) => file.service.some(({ name }) => qualify(file, name) === service));
    if (!home) throw new DeployError(`No contract in this workspace has the service ${service}.`);
    visit(home.name);
  }
  return { ...set, file: set.file.filter((file) => wanted.has(file.name)) };
}

export function qualify(file: Pick<FileDescriptorProto, "package">, name: string): string {
  return file.package === "" ? name : `${file.package}.${name}`;
}
