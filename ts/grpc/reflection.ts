/** Server reflection: answers from the descriptors that the code was generated from, byte for byte. */
import { type DescFile, type FileRegistry, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { status } from "@grpc/grpc-js";
import {
  type ServerReflectionRequest,
  type ServerReflectionResponse,
  ServerReflectionService,
} from "../gen/grpc/reflection/v1/reflection.js";

type Question = NonNullable<ServerReflectionRequest["message_request"]>;
type Answer = NonNullable<ServerReflectionResponse["message_response"]>;

/** The same service under the name that older clients know it by. */
export const alphaReflectionService = {
  serverReflectionInfo: {
    ...ServerReflectionService.serverReflectionInfo,
    path: ServerReflectionService.serverReflectionInfo.path.replace(
      "/grpc.reflection.v1.",
      "/grpc.reflection.v1alpha.",
    ),
  },
};

/** @param services full names of those that the server has. */
export function reflectionAnswers(registry: FileRegistry, services: readonly string[]) {
  return (request: ServerReflectionRequest): ServerReflectionResponse => ({
    valid_host: request.host,
    original_request: request,
    message_response: answer(registry, services, request.message_request),
  });
}

function answer(registry: FileRegistry, services: readonly string[], question: Question | undefined): Answer {
  switch (question?.$case) {
    case "list_services":
      return { $case: "list_services_response", value: { service: services.map((name) => ({ name })) } };
    case "file_by_filename":
      return fileAnswer(registry.getFile(question.value), question.value);
    case "file_containing_symbol":
      return fileAnswer(fileOfSymbol(registry, question.value), question.value);
    case "file_containing_extension": {
      const { containing_type, extension_number } = question.value;
      const extension = extensionsOf(registry, containing_type).find(({ number }) => number === extension_number);
      return fileAnswer(extension?.file, `${containing_type}, ${extension_number}`);
    }
    case "all_extension_numbers_of_type": {
      if (registry.getMessage(question.value) === undefined) return notFound(question.value);
      const extension_number = extensionsOf(registry, question.value).map(({ number }) => number);
      const value = { base_type_name: question.value, extension_number };
      return { $case: "all_extension_numbers_response", value };
    }
    case undefined:
      return failure(status.INVALID_ARGUMENT, "The request asks nothing.");
  }
}

/** @param symbol a type or a service, or a method or field of one. */
function fileOfSymbol(registry: FileRegistry, symbol: string): DescFile | undefined {
  const dot = symbol.lastIndexOf(".");
  const [owner, member] = [symbol.slice(0, Math.max(dot, 0)), symbol.slice(dot + 1)];
  const hasMember = ({ name }: { readonly name: string }): boolean => name === member;
  const methodOwner = registry.getService(owner);
  const fieldOwner = registry.getMessage(owner);
  if (methodOwner?.methods.some(hasMember)) return methodOwner.file;
  if (fieldOwner?.members.some(hasMember)) return fieldOwner.file;
  return registry.get(symbol)?.file;
}

function extensionsOf(registry: FileRegistry, typeName: string) {
  return [...registry]
    .filter((type) => type.kind === "extension")
    .filter(({ extendee }) => extendee.typeName === typeName);
}

/** The file, after everything that it imports. */
function fileAnswer(file: DescFile | undefined, name: string): Answer {
  if (file === undefined) return notFound(name);
  const files = new Set<DescFile>();
  addWithImports(file, files);
  const encoded = [...files].map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto));
  return { $case: "file_descriptor_response", value: { file_descriptor_proto: encoded } };
}

function addWithImports(file: DescFile, files: Set<DescFile>): void {
  if (files.has(file)) return;
  for (const imported of file.dependencies) addWithImports(imported, files);
  files.add(file);
}

function notFound(name: string): Answer {
  return failure(status.NOT_FOUND, `There is no ${name}.`);
}

function failure(error_code: number, error_message: string): Answer {
  return { $case: "error_response", value: { error_code, error_message } };
}
