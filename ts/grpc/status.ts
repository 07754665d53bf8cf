/** The one converter between CasslErrors and failed RPCs, which carry an ErrorDetail in their trailing metadata. */
import { Metadata, type ServiceError, type StatusObject, status } from "@grpc/grpc-js";
import { CasslError, fromErrorDetail, toErrorDetail } from "../core/errors.js";
import { ErrorDetail } from "../gen/cassl/v1/error_reason.js";
import { grpcCodeOf } from "./codes.js";

const DETAIL_KEY = "cassl-error-bin";

/** HTTP/2 peers refuse long headers: grpcio takes 8 KiB. */
const MAX_TEXT = 2000;

export function toStatus(error: unknown): Omit<StatusObject, "details"> & ServiceError {
  const casslError = CasslError.from(error);
  const detail = toErrorDetail(casslError);
  const message = clipped(detail.message);
  const metadata = new Metadata();
  const bytes = ErrorDetail.encode({ ...detail, message, trace: clipped(detail.trace) }).finish();
  metadata.set(DETAIL_KEY, Buffer.from(bytes));
  return Object.assign(new Error(message), {
    name: "ServiceError",
    code: grpcCodeOf(casslError.reason),
    details: clipped(message.split("\n", 1)[0] ?? ""),
    metadata,
  });
}

/** @param address of the controller, for the message where none answers. */
export function fromStatus(error: ServiceError, address: string): CasslError {
  const [bytes] = error.metadata?.get(DETAIL_KEY) ?? [];
  if (bytes instanceof Buffer) return fromErrorDetail(ErrorDetail.decode(bytes));
  switch (error.code) {
    case status.UNAVAILABLE:
    case status.DEADLINE_EXCEEDED:
    // A controller that stops resets the streams it has.
    case status.CANCELLED:
      return new CasslError(
        "CONTROLLER_UNREACHABLE",
        `No controller answers at ${address}: ${error.details}`,
        "Start one with `cassl serve`, or give its address with --controller.",
        { cause: error },
      );
    case status.UNIMPLEMENTED:
      return new CasslError(
        "VERSION_MISMATCH",
        `What answers at ${address} is no controller of this version: ${error.details}`,
        "Install the same version of cassl on both sides.",
        { cause: error },
      );
    default:
      return CasslError.from(error);
  }
}

function clipped(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT)} ...`;
}
