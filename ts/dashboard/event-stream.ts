/** Server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html */
import { once } from "node:events";
import type { Request, RequestHandler, Response } from "express";

export interface ServerEvent {
  /** What a browser that comes back says it has seen last. */
  readonly id?: number;
  readonly data: unknown;
}

const KEEP_ALIVE_MS = 15_000;
/** How long a browser waits before it comes back. */
const RETRY_MS = 1000;

/**
 * Sends what `events` gives until it ends, or the browser leaves, which aborts the signal. A browser that does not read is not
 * written to. At the end the event `end` is sent, so that the browser does not come back for more.
 */
export function eventStream(
  events: (request: Request, signal: AbortSignal) => AsyncIterable<ServerEvent>,
): RequestHandler {
  return async (request, response) => {
    const reader = new AbortController();
    response.on("close", () => reader.abort());
    const stream = events(request, reader.signal)[Symbol.asyncIterator]();
    // What is refused before the first event is an answer like any other.
    let next = await stream.next();
    response.set({ "Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no" });
    response.write(`retry: ${RETRY_MS}\n\n`);
    const keepAlive = setInterval(() => response.write(": \n\n"), KEEP_ALIVE_MS);
    try {
      for (; next.done !== true; next = await stream.next()) await write(response, next.value, reader.signal);
      response.end("event: end\ndata: {}\n\n");
    } catch (error) {
      if (!reader.signal.aborted) response.destroy(error as Error);
    } finally {
      clearInterval(keepAlive);
    }
  };
}

async function write(response: Response, { id, data }: ServerEvent, signal: AbortSignal): Promise<void> {
  const text = `${id === undefined ? "" : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`;
  if (!response.write(text)) await once(response, "drain", { signal });
}
