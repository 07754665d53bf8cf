/** The compiled protos, which `npm run gen` writes: error codes, server reflection and rules by RPC are read from them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createFileRegistry, type FileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { packageRoot } from "../core/package.js";

let registry: FileRegistry | undefined;

export function descriptors(): FileRegistry {
  const bytes = (): Uint8Array => readFileSync(join(packageRoot, "ts/gen/descriptors.binpb"));
  registry ??= createFileRegistry(fromBinary(FileDescriptorSetSchema, bytes()));
  return registry;
}
