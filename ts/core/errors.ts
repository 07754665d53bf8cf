import { type ErrorDetail, ErrorReason } from "../gen/cassl/v1/error_reason.js";

/** A name of the catalogue in proto/cassl/v1/error_reason.proto, such as `CONFIG_INVALID`. */
export type Reason = Exclude<keyof typeof ErrorReason, "UNSPECIFIED">;

/**
 * The one error class. `message` says what is wrong with the offending value, `remedy` what to do about it.
 * Whatever is thrown without being a CasslError is a fault of ours and becomes INTERNAL at the boundary.
 */
export class CasslError extends Error {
  override readonly name = "CasslError";
  readonly reason: Reason;
  readonly remedy: string;

  constructor(reason: Reason, message: string, remedy: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
    this.remedy = remedy;
  }

  /** A CasslError as it is; an aborted signal as CANCELLED; anything else as INTERNAL with its stack kept as `cause`. */
  static from(error: unknown): CasslError {
    if (error instanceof CasslError) return error;
    if (error instanceof Error && error.name === "AbortError") return cancelled({ cause: error });
    const message = error instanceof Error ? error.message : String(error);
    return new CasslError("INTERNAL", message, "Please report this with the message and the command.", {
      cause: error,
    });
  }
}

export function cancelled(options?: ErrorOptions): CasslError {
  return new CasslError("CANCELLED", "The run was cancelled.", "Run the same configuration again to go on.", options);
}

export function toErrorDetail(error: unknown): ErrorDetail {
  const { reason, message, remedy, cause } = CasslError.from(error);
  const trace = reason === "INTERNAL" && cause instanceof Error ? (cause.stack ?? "") : "";
  return { reason: ErrorReason[reason], message, remedy, trace };
}

const reasonNames = new Map<number, Reason>(
  Object.entries(ErrorReason).map(([name, value]) => [value, name as Reason]),
);

export function fromErrorDetail(detail: ErrorDetail): CasslError {
  const options = detail.trace === "" ? undefined : { cause: new Error(detail.trace) };
  return new CasslError(reasonNames.get(detail.reason) ?? "INTERNAL", detail.message, detail.remedy, options);
}
