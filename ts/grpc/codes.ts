/** The gRPC status code of each reason, from the option on its value in proto/cassl/v1/error_reason.proto. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createFileRegistry, fromBinary, getOption } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import type { Reason } from "../core/errors.js";
import { packageRoot } from "../core/package.js";
import { ErrorReason } from "../gen/cassl/v1/error_reason.js";

let codes: ReadonlyMap<number, number> | undefined;

export function grpcCodeOf(reason: Reason): number {
  codes ??= readCodes(join(packageRoot, "ts/gen/descriptors.binpb"));
  return codes.get(ErrorReason[reason]) as number;
}

/** @param file a FileDescriptorSet, which `npm run gen` writes. */
function readCodes(file: string): Map<number, number> {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(file)));
  const option = registry.getExtension("cassl.v1.grpc_code");
  const reasons = registry.getEnum("cassl.v1.ErrorReason");
  if (option === undefined || reasons === undefined) throw new Error(`${file} does not describe ErrorReason.`);
  return new Map(reasons.values.map((value) => [value.number, getOption(value, option) as number]));
}
