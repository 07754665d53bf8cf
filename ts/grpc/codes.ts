/** The gRPC status code of each reason, from the option on its value in proto/cassl/v1/error_reason.proto. */
import { getOption } from "@bufbuild/protobuf";
import type { Reason } from "../core/errors.js";
import { ErrorReason } from "../gen/cassl/v1/error_reason.js";
import { descriptors } from "./descriptors.js";

let codes: ReadonlyMap<number, number> | undefined;

export function grpcCodeOf(reason: Reason): number {
  codes ??= readCodes();
  return codes.get(ErrorReason[reason]) as number;
}

function readCodes(): Map<number, number> {
  const option = descriptors().getExtension("cassl.v1.grpc_code");
  const reasons = descriptors().getEnum("cassl.v1.ErrorReason");
  if (option === undefined || reasons === undefined) throw new Error("The descriptors do not describe ErrorReason.");
  return new Map(reasons.values.map((value) => [value.number, getOption(value, option) as number]));
}
