/** From gRPC calls to promises and async iterables, with errors as CasslErrors. */
import { once } from "node:events";
import {
  type CallOptions,
  type ClientReadableStream,
  type ClientUnaryCall,
  type ClientWritableStream,
  Metadata,
  type ServiceError,
} from "@grpc/grpc-js";
import { cancelled } from "../core/errors.js";
import { fromStatus } from "../grpc/status.js";

/** What every call of a client may be given. */
export interface CallSettings {
  /** Ends the call with CANCELLED when it aborts. What the controller does already is not undone. */
  readonly signal?: AbortSignal | undefined;
  /** How long to wait for the answer, in seconds. */
  readonly timeoutSeconds?: number | undefined;
}

/** Where the controller is, for the message where none answers; and how long to wait where the caller says nothing. */
export interface CallContext {
  readonly address: string;
  readonly timeoutSeconds: number;
}

type Callback<Response> = (error: ServiceError | null, response: Response) => void;

type UnaryMethod<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: Callback<Response>,
) => ClientUnaryCall;

export function callUnary<Request, Response>(
  method: UnaryMethod<Request, Response>,
  request: Request,
  context: CallContext,
  settings: CallSettings = {},
): Promise<Response> {
  const deadline = Date.now() + 1000 * (settings.timeoutSeconds ?? context.timeoutSeconds);
  return settle(
    (callback) => method(request, new Metadata(), { deadline }, callback),
    context.address,
    settings.signal,
  );
}

/** Sends messages as fast as they are taken; the answer may come before the last of them. */
export async function sendStream<Request, Response>(
  start: (callback: Callback<Response>) => ClientWritableStream<Request>,
  messages: AsyncIterable<Request> | Iterable<Request>,
  { address }: CallContext,
  { signal, timeoutSeconds }: CallSettings = {},
): Promise<Response> {
  const answered = new AbortController();
  const deadline = timeoutSeconds === undefined ? [] : [AbortSignal.timeout(1000 * timeoutSeconds)];
  const ending = AbortSignal.any([...(signal === undefined ? [] : [signal]), ...deadline]);
  let sending: Promise<void> = Promise.resolve();
  const send = (callback: Callback<Response>): ClientWritableStream<Request> => {
    const call = start((error, response) => {
      answered.abort();
      callback(error, response);
    });
    sending = writeAll(call, messages, answered.signal);
    return call;
  };
  const answer = settle(send, address, ending);
  // A fault of the messages themselves comes before what the controller says of the stream that it broke off.
  const [result, sent] = await Promise.allSettled([answer, sending]);
  if (sent.status === "rejected") throw sent.reason;
  if (result.status === "rejected") throw result.reason;
  return result.value;
}

async function writeAll<Request>(
  call: ClientWritableStream<Request>,
  messages: AsyncIterable<Request> | Iterable<Request>,
  answered: AbortSignal,
): Promise<void> {
  try {
    for await (const message of messages) {
      if (answered.aborted) return;
      if (!call.write(message)) await once(call, "drain", { signal: answered });
    }
    call.end();
  } catch (error) {
    if (answered.aborted) return;
    call.cancel();
    throw error;
  }
}

/** The answer of a call. CANCELLED when `signal` aborts. */
function settle<Response>(
  start: (callback: Callback<Response>) => { cancel(): void },
  address: string,
  signal: AbortSignal | undefined,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(cancelled());
    const call = start((error, response) => {
      signal?.removeEventListener("abort", cancel);
      if (error === null) resolve(response);
      else reject(signal?.aborted === true ? cancelled({ cause: error }) : fromStatus(error, address));
    });
    const cancel = (): void => call.cancel();
    signal?.addEventListener("abort", cancel, { once: true });
  });
}

/** The responses of a stream. CANCELLED when `signal` aborts. */
export async function* readStream<Response>(
  start: () => ClientReadableStream<Response>,
  { address }: CallContext,
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
