/** The one converter between CasslErrors and failed RPCs. */
import { Metadata, type ServiceError, type StatusObject, status } from "@grpc/grpc-js";
import { CasslError } from "../core/errors.js";
import { Status } from "../gen/google/rpc/status.js";
import { fromRichStatus, toRichStatus } from "./rich-status.js";
import { tlsFailure } from "./tls-failures.js";

/** The standard trailer, which holds a google.rpc.Status. */
export const STATUS_KEY = "grpc-status-details-bin";

export function toStatus(error: unknown): StatusObject & ServiceError {
  const rich = toRichStatus(CasslError.from(error));
  const metadata = new Metadata();
  metadata.set(STATUS_KEY, Buffer.from(Status.encode(rich).finish()));
  const { code, message } = rich;
  // The standard wants the same message in both places.
  return Object.assign(new Error(message), { name: "ServiceError", code, details: message, metadata });
}

/** @param address of the controller, for the message where none answers. */
export function fromStatus(error: ServiceError, address: string): CasslError {
  const [bytes] = error.metadata?.get(STATUS_KEY) ?? [];
  const answer = bytes instanceof Buffer ? fromRichStatus(bytes) : undefined;
  if (answer !== undefined) return answer;
  switch (error.code) {
    case status.UNAVAILABLE:
    case status.DEADLINE_EXCEEDED:
    // A controller that stops resets the streams it has.
    case status.CANCELLED:
      return tlsFailure(error.details, address, error) ?? unreachable(error, address);
    case status.UNIMPLEMENTED:
      return new CasslError(
        "VERSION_MISMATCH",
        `What answers at ${address} is no controller of this version: ${error.details}`,
        "Install the same version of cassl on both sides.",
        { cause: error },
      );
    case status.RESOURCE_EXHAUSTED:
      return new CasslError(
        "LIMIT_EXCEEDED",
        `A message to or from ${address} is over a limit: ${error.details}`,
        "Send less in one message; artifacts go in chunks.",
        { cause: error },
      );
    default:
      return CasslError.from(error);
  }
}

function unreachable(error: ServiceError, address: string): CasslError {
  const start = "Start one with `cassl serve`, or give its address with --controller.";
  const demands =
    "If it was started with --tls-cert, give --tls-ca; with --client-ca, --tls-cert and --tls-key as well.";
  // So it is where something accepts the connection and then breaks it off.
  const remedy = error.details.includes("Failed to connect (") ? `${start} ${demands}` : start;
  const message = `No controller answers at ${address}: ${error.details}`;
  return new CasslError("CONTROLLER_UNREACHABLE", message, remedy, { cause: error });
}
