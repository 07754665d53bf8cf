/** The protos of cassl with their comments, as buf has put them together. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { packageRoot } from "../../ts/core/package.js";

/** Numbers of fields in descriptor.proto, of which the path of a declaration consists. */
export const IN_FILE = { message: 4, enum: 5, service: 6 } as const;
export const IN_MESSAGE = { field: 2, nested: 3, enum: 4 } as const;
/** Of the values of an enum, and of the methods of a service. */
export const MEMBER = 2;

export interface ProtoFile {
  readonly descriptor: FileDescriptorProto;
  /** What is said above the declaration at a path, in one line; empty if nothing is. */
  comment(...path: number[]): string;
}

export function protoFiles(): ProtoFile[] {
  const bytes = readFileSync(join(packageRoot, "ts/gen/descriptors.binpb"));
  const files = fromBinary(FileDescriptorSetSchema, bytes).file;
  return files.filter((file) => file.package === "cassl.v1").map(withComments);
}

function withComments(descriptor: FileDescriptorProto): ProtoFile {
  const locations = descriptor.sourceCodeInfo?.location ?? [];
  const comments = new Map(locations.map(({ path, leadingComments }) => [path.join(), leadingComments]));
  return {
    descriptor,
    comment: (...path) => (comments.get(path.join()) ?? "").trim().replace(/\s*\n\s*/g, " "),
  };
}
