/** Services, messages and enums of the protocol, from the descriptors with their comments. */
import { isFieldSet } from "@bufbuild/protobuf";
import {
  type DescriptorProto,
  type EnumDescriptorProto,
  type FieldDescriptorProto,
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FieldDescriptorProtoSchema,
  type MethodDescriptorProto,
} from "@bufbuild/protobuf/wkt";
import { IN_FILE, IN_MESSAGE, MEMBER, type ProtoFile, protoFiles } from "./descriptors.js";
import { code, page, plain, table } from "./markdown.js";

export function protocolReference(): string {
  return page(
    "# Protocol",
    "The package `cassl.v1`, as controller, workers and clients speak it ([api.md](../api.md) shows how to call it). What is in a release keeps its meaning, its name and its number.",
    ...protoFiles().map(fileSection),
  );
}

function fileSection(file: ProtoFile): string {
  const { name, service, messageType, enumType } = file.descriptor;
  return page(
    `## ${name}`,
    ...service.map((one, index) =>
      page(
        `### ${one.name}`,
        plain(file.comment(IN_FILE.service, index)),
        table(
          ["call", "takes", "gives", ""],
          one.method.map((method, at) => callRow(method, file.comment(IN_FILE.service, index, MEMBER, at))),
        ),
      ),
    ),
    ...messageType.map((message, index) => messageSection(file, message, [IN_FILE.message, index])),
    ...enumType.map((one, index) => enumSection(file, one, [IN_FILE.enum, index])),
  );
}

function callRow(method: MethodDescriptorProto, comment: string): string[] {
  const { name, inputType, outputType, clientStreaming, serverStreaming } = method;
  const streamed = (type: string, isStream: boolean): string => `${isStream ? "stream of " : ""}${typeLink(type)}`;
  return [code(name), streamed(inputType, clientStreaming), streamed(outputType, serverStreaming), plain(comment)];
}

function messageSection(file: ProtoFile, message: DescriptorProto, path: readonly number[], above = ""): string {
  const name = above + message.name;
  const rows = message.field.map((field, index) => [
    code(field.name),
    typeOf(field, message),
    oneofOf(field, message),
    plain(file.comment(...path, IN_MESSAGE.field, index)),
  ]);
  const nested = message.nestedType.flatMap((inner, index) =>
    inner.options?.mapEntry ? [] : [messageSection(file, inner, [...path, IN_MESSAGE.nested, index], `${name}.`)],
  );
  const enums = message.enumType.map((inner, index) =>
    enumSection(file, inner, [...path, IN_MESSAGE.enum, index], `${name}.`),
  );
  return page(
    `### ${name}`,
    plain(file.comment(...path)),
    table(["field", "is", "one of", ""], rows),
    ...nested,
    ...enums,
  );
}

function enumSection(
  file: ProtoFile,
  { name, value }: EnumDescriptorProto,
  path: readonly number[],
  above = "",
): string {
  const rows = value.map((one, index) => [
    code(one.name),
    String(one.number),
    plain(file.comment(...path, MEMBER, index)),
  ]);
  return page(`### ${above}${name}`, plain(file.comment(...path)), table(["value", "number", ""], rows));
}

function typeOf(field: FieldDescriptorProto, { nestedType }: DescriptorProto): string {
  const entry = nestedType.find(({ name, options }) => options?.mapEntry && field.typeName.endsWith(`.${name}`));
  const [key, value] = entry?.field ?? [];
  if (key !== undefined && value !== undefined) return `map of ${scalarOrLink(key)} to ${scalarOrLink(value)}`;
  const isList = field.label === FieldDescriptorProto_Label.REPEATED;
  return `${isList ? "list of " : ""}${field.proto3Optional ? "optional " : ""}${scalarOrLink(field)}`;
}

function scalarOrLink({ type, typeName }: FieldDescriptorProto): string {
  return typeName === "" ? FieldDescriptorProto_Type[type].toLowerCase() : typeLink(typeName);
}

/** A link to what is on this page; the name alone of what is not. */
function typeLink(name: string): string {
  const own = name.startsWith(".cassl.v1.") ? name.slice(".cassl.v1.".length) : undefined;
  return own === undefined ? code(name.slice(1)) : `[${own}](#${own.toLowerCase().replaceAll(".", "")})`;
}

/** Of a field that is `optional` protobuf makes a oneof of its own, of which nothing is said. */
function oneofOf(field: FieldDescriptorProto, { oneofDecl }: DescriptorProto): string {
  if (field.proto3Optional || !isFieldSet(field, FieldDescriptorProtoSchema.field.oneofIndex)) return "";
  return code(oneofDecl[field.oneofIndex]?.name ?? "");
}
