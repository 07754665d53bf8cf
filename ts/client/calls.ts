/** From gRPC calls to promises and async iterables, with errors as CasslErrors. */
import {
  type CallOptions,
  type ClientReadableStream,
  type ClientUnaryCall,
  Metadata,
  type ServiceError,
} from "@grpc/grpc-js";
import { cancelled } from "../core/errors.js";
import { UNARY_DEADLINE_MS } from "../grpc/limits.js";
import { fromStatus } from "../grpc/status.js";

type UnaryMethod<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: (error: ServiceError | null, response: Response) => void,
) => ClientUnaryCall;

/** @param address of the controller, for the message where none answers. */
export function callUnary<Request, Response>(
  method: UnaryMethod<Request, Response>,
  request: Request,
  address: string,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    method(request, new Metadata(), { deadline: Date.now() + UNARY_DEADLINE_MS }, (error, response) => {
      if (error === null) resolve(response);
      else reject(fromStatus(error, address));
    });
  });
}

/** The responses of a stream. CANCELLED when `signal` aborts. */
export async function* readStream<Response>(
  start: () => ClientReadableStream<Response>,
  address: string,
  signal?: AbortSignal,
): AsyncGenerator<Response, void, undefined> {
  const isAborted = (): boolean => signal?.aborted === true;
  if (isAborted()) throw cancelled();
  const call = start();
  // Whoever stops reading early leaves nobody to hear that the call was cancelled.
  call.on("error", () => {});
  const cancel = (): void => call.cancel();
  signal?.addEventListener("abort", cancel, { once: true });
  try {
    for await (const response of call) yield response as Response;
  } catch (error) {
    throw isAborted() ? cancelled({ cause: error }) : fromStatus(error as ServiceError, address);
  } finally {
    signal?.removeEventListener("abort", cancel);
    cancel();
  }
}
