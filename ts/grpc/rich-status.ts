/** Errors as a google.rpc.Status, which clients of every language decode. */
import { CasslError, type Reason, toErrorDetail } from "../core/errors.js";
import { ErrorReason } from "../gen/cassl/v1/error_reason.js";
import type { Any } from "../gen/google/protobuf/any.js";
import { DebugInfo, ErrorInfo } from "../gen/google/rpc/error_details.js";
import { Status } from "../gen/google/rpc/status.js";
import { grpcCodeOf } from "./codes.js";

const DOMAIN = "cassl";
const ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo";
const DEBUG_INFO = "type.googleapis.com/google.rpc.DebugInfo";

/** In bytes, with each unsafe one counted as three, as headers spell them. Peers refuse long headers: grpcio takes 8 KiB. */
const MAX_MESSAGE = 2000;
const MAX_REMEDY = 600;
const MAX_TRACE = 1000;

export function toRichStatus(error: CasslError): Status {
  const { message, remedy, trace } = toErrorDetail(error);
  const metadata: ErrorInfo["metadata"] = remedy === "" ? {} : { remedy: clipped(remedy, MAX_REMEDY) };
  const info = ErrorInfo.encode({ reason: error.reason, domain: DOMAIN, metadata }).finish();
  const debug = DebugInfo.encode({ stack_entries: [], detail: clipped(trace, MAX_TRACE) }).finish();
  const details: Any[] = [{ type_url: ERROR_INFO, value: info }];
  if (trace !== "") details.push({ type_url: DEBUG_INFO, value: debug });
  return { code: grpcCodeOf(error.reason), message: clipped(message, MAX_MESSAGE), details };
}

/** Undefined if the bytes are no Status of a controller. */
export function fromRichStatus(bytes: Uint8Array): CasslError | undefined {
  try {
    const { message, details } = Status.decode(bytes);
    const info = ErrorInfo.decode(bytesOf(details, ERROR_INFO));
    if (info.domain !== DOMAIN) return undefined;
    const { detail } = DebugInfo.decode(bytesOf(details, DEBUG_INFO));
    const options = detail === "" ? undefined : { cause: new Error(detail) };
    return new CasslError(knownReason(info.reason), message, info.metadata["remedy"] ?? "", options);
  } catch {
    return undefined;
  }
}

function bytesOf(details: readonly Any[], type: string): Uint8Array {
  return details.find(({ type_url }) => type_url === type)?.value ?? new Uint8Array();
}

/** A newer controller may have reasons that are not known here. */
function knownReason(reason: string): Reason {
  return reason in ErrorReason && reason !== "UNSPECIFIED" ? (reason as Reason) : "INTERNAL";
}

/** Well-formed, because nothing else can be percent-encoded, and short enough for a header. */
function clipped(text: string, limit: number): string {
  let size = 0;
  let kept = "";
  for (const character of Buffer.from(text.slice(0, limit + 1)).toString()) {
    size += encodeURIComponent(character).length;
    if (size > limit) return `${kept} ...`;
    kept += character;
  }
  return kept;
}
