import { type DescExtension, type DescFile, type DescMessage, type DescService, toBinary } from "@bufbuild/protobuf";
import { nestedTypes } from "@bufbuild/protobuf/reflect";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { reflectionV1, reflectionV1Alpha } from "@kinora/proto-common";
import type { Routes } from "../routes.ts";

// The two versions differ in nothing but their package's name; these are the fields that they share.
type Question =
  | { case: "listServices" | "fileByFilename" | "fileContainingSymbol" | "allExtensionNumbersOfType"; value: string }
  | { case: "fileContainingExtension"; value: { containingType: string; extensionNumber: number } }
  | { case: undefined; value?: undefined };
type Answer =
  | { case: "listServicesResponse"; value: { service: { name: string }[] } }
  | { case: "fileDescriptorResponse"; value: { fileDescriptorProto: Uint8Array[] } }
  | { case: "allExtensionNumbersResponse"; value: { baseTypeName: string; extensionNumber: number[] } }
  | { case: "errorResponse"; value: { errorCode: number; errorMessage: string } };

/** Server reflection, v1 and v1alpha (which have the same messages): clients such as `buf curl` learn the contracts from the server. */
export function createReflection(services: readonly DescService[]): Routes {
  const own = [reflectionV1.ServerReflection, reflectionV1Alpha.ServerReflection];
  let answers: ReturnType<typeof createAnswers> | undefined;
  // Most servers are never asked: none looks through its contracts for it at its start.
  const answer = (question: Question) => {
    answers ??= createAnswers([...services, ...own]);
    return answers(question);
  };
  return (router) => {
    router.service(reflectionV1.ServerReflection, {
      async *serverReflectionInfo(requests) {
        for await (const request of requests) {
          yield { validHost: request.host, originalRequest: request, messageResponse: answer(request.messageRequest) };
        }
      },
    });
    router.service(reflectionV1Alpha.ServerReflection, {
      async *serverReflectionInfo(requests) {
        for await (const request of requests) {
          yield { validHost: request.host, originalRequest: request, messageResponse: answer(request.messageRequest) };
        }
      },
    });
  };
}

function createAnswers(services: readonly DescService[]): (question: Question) => Answer {
  const files = withDependencies(services.map((service) => service.file));
  const byName = new Map([...files].map((file) => [file.proto.name, file]));
  const bySymbol = new Map<string, DescFile>();
  const extensions: DescExtension[] = [];
  for (const file of files) {
    for (const [symbol, extension] of symbolsOf(file)) {
      bySymbol.set(symbol, file);
      if (extension !== undefined) {
        extensions.push(extension);
      }
    }
  }

  return (question) => {
    switch (question.case) {
      case "listServices":
        return {
          case: "listServicesResponse",
          value: { service: services.map(({ typeName }) => ({ name: typeName })) },
        };
      case "fileByFilename":
        return fileAnswer(byName.get(question.value), `no file ${question.value}`);
      case "fileContainingSymbol":
        return fileAnswer(bySymbol.get(question.value.replace(/^\./, "")), `no symbol ${question.value}`);
      case "fileContainingExtension": {
        const { containingType, extensionNumber } = question.value;
        const found = extensions.find((e) => e.extendee.typeName === containingType && e.number === extensionNumber);
        return fileAnswer(found?.file, `no extension ${extensionNumber} of ${containingType}`);
      }
      case "allExtensionNumbersOfType": {
        const name = question.value;
        const numbers = extensions.filter((e) => e.extendee.typeName === name).map((e) => e.number);
        if (numbers.length === 0 && !bySymbol.has(name)) {
          return errorAnswer(Code.NotFound, `no message ${name}`);
        }
        return { case: "allExtensionNumbersResponse", value: { baseTypeName: name, extensionNumber: numbers } };
      }
      default:
        return errorAnswer(Code.InvalidArgument, "the request asks for nothing that this server knows");
    }
  };
}

function fileAnswer(file: DescFile | undefined, otherwise: string): Answer {
  if (file === undefined) {
    return errorAnswer(Code.NotFound, otherwise);
  }
  const fileDescriptorProto = [...withDependencies([file])].map((f) => toBinary(FileDescriptorProtoSchema, f.proto));
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto } };
}

function errorAnswer(errorCode: Code, errorMessage: string): Answer {
  return { case: "errorResponse", value: { errorCode, errorMessage } };
}

/** The files and all that they import, each once, in the order in which they were found. */
function withDependencies(files: readonly DescFile[]): Set<DescFile> {
  const found = new Set(files);
  // A Set visits what is added while it is walked.
  for (const file of found) {
    for (const dependency of file.dependencies) {
      found.add(dependency);
    }
  }
  return found;
}

/** The full names that a file declares; with the extension where the name is one. */
function* symbolsOf(file: DescFile): Iterable<[string, DescExtension | undefined]> {
  for (const type of nestedTypes(file)) {
    yield [type.typeName, type.kind === "extension" ? type : undefined];
    yield* membersOf(type).map((name): [string, undefined] => [name, undefined]);
  }
}

function membersOf(type: ReturnType<typeof nestedTypes> extends Iterable<infer T> ? T : never): string[] {
  switch (type.kind) {
    case "message":
      return messageMembers(type);
    case "service":
      return type.methods.map(({ name }) => `${type.typeName}.${name}`);
    case "enum": {
      // An enum's values live beside it, in the scope that encloses it.
      const scope = type.typeName.slice(0, -type.name.length);
      return type.values.map(({ name }) => `${scope}${name}`);
    }
    default:
      return [];
  }
}

function messageMembers(message: DescMessage): string[] {
  return [...message.fields, ...message.oneofs].map(({ name }) => `${message.typeName}.${name}`);
}
