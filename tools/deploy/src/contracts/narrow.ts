import type { DescriptorProto, FileDescriptorProto, FileDescriptorSet } from "@bufbuild/protobuf/wkt";
import { qualify } from "./descriptor-set.ts";

/** Keeps of each service the methods that `keep` wants (full names), and of each message the fields. What is left is what a comparison can fail on. */
export function narrow(
  set: FileDescriptorSet,
  keep: { method(name: string, deprecated: boolean): boolean; field?(name: string): boolean },
): FileDescriptorSet {
  return { ...set, file: set.file.map((file) => narrowFile(file, keep)) };
}

type Keep = Parameters<typeof narrow>[1];

function narrowFile(file: FileDescriptorProto, keep: Keep): FileDescriptorProto {
  const service = file.service
    .map((entry) => {
      const whole = entry.options?.deprecated ?? false;
      const name = qualify(file, entry.name);
      const method = entry.method.filter((candidate) =>
        keep.method(`${name}.${candidate.name}`, whole || (candidate.options?.deprecated ?? false)),
      );
      return { ...entry, method };
    })
    .filter((entry) => entry.method.length > 0);
  const { field } = keep;
  if (!field) return { ...file, service };
  return {
    ...file,
    service,
    messageType: file.messageType.map((type) => narrowMessage(type, qualify(file, type.name), field)),
  };
}

function narrowMessage(type: DescriptorProto, name: string, keep: (name: string) => boolean): DescriptorProto {
  // A map's entry is made of key and value, whoever names them.
  if (type.options?.mapEntry) return type;
  const field = type.field.filter((candidate) => keep(`${name}.${candidate.name}`));
  // A oneof can't be empty, and fields name theirs by its place.
  const used = type.oneofDecl.map((_, index) =>
    field.some((candidate) => candidate.oneofIndex === index && isIn(candidate)),
  );
  const place = used.map((_, index) => used.slice(0, index).filter(Boolean).length);
  return {
    ...type,
    field: field.map((candidate) =>
      isIn(candidate) ? { ...candidate, oneofIndex: place[candidate.oneofIndex] ?? 0 } : candidate,
    ),
    oneofDecl: type.oneofDecl.filter((_, index) => used[index]),
    nestedType: type.nestedType.map((nested) => narrowMessage(nested, `${name}.${nested.name}`, keep)),
  };
}

/** Whether a field belongs to a oneof: the descriptor's own field has presence, so that 0 means the first one. */
function isIn(field: DescriptorProto["field"][number]): boolean {
  return Object.hasOwn(field, "oneofIndex");
}
