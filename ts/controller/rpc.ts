/** From async functions to gRPC handlers. Whatever a function throws becomes the status of its call. */
import { once } from "node:events";
import type {
  handleBidiStreamingCall,
  handleClientStreamingCall,
  handleServerStreamingCall,
  handleUnaryCall,
  ServerDuplexStream,
  ServerWritableStream,
} from "@grpc/grpc-js";
import { toStatus } from "../grpc/status.js";

/** The signal aborts when the caller leaves. */
export function unary<Request, Response>(
  answer: (request: Request, signal: AbortSignal) => Response | Promise<Response>,
): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    const caller = new AbortController();
    call.on("cancelled", () => caller.abort());
    const answering = async (): Promise<Response> => answer(call.request, caller.signal);
    answering().then(
      (response) => callback(null, response),
      (error: unknown) => callback(toStatus(error)),
    );
  };
}

export function clientStreaming<Request, Response>(
  answer: (requests: AsyncIterable<Request>) => Promise<Response>,
): handleClientStreamingCall<Request, Response> {
  return (call, callback) => {
    answer(call as AsyncIterable<Request>).then(
      (response) => callback(null, response),
      (error: unknown) => callback(toStatus(error)),
    );
  };
}

/** The signal aborts when the caller leaves. */
export function serverStreaming<Request, Response>(
  answer: (request: Request, signal: AbortSignal) => AsyncIterable<Response>,
): handleServerStreamingCall<Request, Response> {
  return (call) => {
    const caller = new AbortController();
    call.on("cancelled", () => caller.abort());
    writeAll(call, answer(call.request, caller.signal), caller.signal).then(
      () => call.end(),
      (error: unknown) => !caller.signal.aborted && call.emit("error", toStatus(error)),
    );
  };
}

/** One response for each request. A caller that does not read is not read from. */
export function answering<Request, Response>(
  answer: (request: Request) => Response,
): handleBidiStreamingCall<Request, Response> {
  return (call) => {
    const caller = new AbortController();
    call.on("cancelled", () => caller.abort());
    // Left to itself, the iterator would destroy the whole call with its last request.
    const requests = call.iterator({ destroyOnReturn: false }) as AsyncIterable<Request>;
    writeAll(call, answers(requests, answer), caller.signal).then(
      () => call.end(),
      (error: unknown) => !caller.signal.aborted && call.emit("error", toStatus(error)),
    );
  };
}

async function* answers<Request, Response>(
  requests: AsyncIterable<Request>,
  answer: (request: Request) => Response,
): AsyncGenerator<Response> {
  for await (const request of requests) yield answer(request);
}

async function writeAll<Response>(
  call: ServerWritableStream<unknown, Response> | ServerDuplexStream<unknown, Response>,
  responses: AsyncIterable<Response>,
  signal: AbortSignal,
): Promise<void> {
  for await (const response of responses) {
    signal.throwIfAborted();
    if (!call.write(response)) await once(call, "drain", { signal });
  }
}
