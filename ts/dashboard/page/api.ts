/** The server, from the page. */
import { CHANGE_HEADER, type Failure } from "../wire/requests.js";

/** What the server refused, or that it does not answer. */
export class ApiError extends Error {
  readonly reason: string;
  readonly remedy: string;

  constructor({ reason, message, remedy }: Failure) {
    super(message);
    this.reason = reason;
    this.remedy = remedy;
  }
}

const UNREACHABLE: Failure = {
  reason: "CONTROLLER_UNREACHABLE",
  message: "The controller does not answer.",
  remedy: "Look whether `cassl serve` still runs.",
};

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return request(path, signal === undefined ? {} : { signal });
}

/** What is sent as float32. */
export async function getFloats(path: string): Promise<Float32Array> {
  return new Float32Array(await (await ask(path, {})).arrayBuffer());
}

/** What changes something. */
export async function change<T>(method: "POST" | "PUT" | "DELETE", path: string, body: unknown = {}): Promise<T> {
  const headers = { "Content-Type": "application/json", [CHANGE_HEADER]: "1" };
  return request(path, { method, headers, body: JSON.stringify(body) });
}

async function request<T>(path: string, init: RequestInit): Promise<T> {
  return (await (await ask(path, init)).json()) as T;
}

async function ask(path: string, init: RequestInit): Promise<Response> {
  const response = await fetch(`/api/${path}`, init).catch((error: unknown) => {
    if (init.signal?.aborted) throw error;
    throw new ApiError(UNREACHABLE);
  });
  if (response.ok) return response;
  throw new ApiError((await response.json()) as Failure);
}

export interface Listening {
  readonly onData: (data: unknown) => void;
  /** Whether the stream is open. */
  readonly onConnection: (isOpen: boolean) => void;
}

const RETRY_MS = 1000;

export interface Stream {
  /** Follows the stream again if it had come to its end. */
  resume(): void;
}

/**
 * Follows a stream of events until its end, also over restarts of the controller. A page that nobody sees follows none: browsers
 * keep six connections to a server at most, for all their tabs.
 */
export function listen(path: (lastId: string) => string, { onData, onConnection }: Listening): Stream {
  let lastId = "";
  let hasEnded = false;
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const close = (): void => {
    clearTimeout(timer);
    source?.close();
    source = undefined;
  };
  const open = (): void => {
    close();
    hasEnded = false;
    if (document.hidden) return;
    source = new EventSource(`/api/${path(lastId)}`);
    source.onopen = () => onConnection(true);
    source.onmessage = ({ data, lastEventId }: MessageEvent<string>) => {
      lastId = lastEventId;
      onData(JSON.parse(data));
    };
    source.addEventListener("end", () => {
      hasEnded = true;
      close();
    });
    source.onerror = () => {
      onConnection(false);
      // Browsers give up where the answer is not a stream; the controller may only be about to start.
      close();
      timer = setTimeout(open, RETRY_MS);
    };
  };
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) close();
    else if (!hasEnded) open();
  });
  open();
  return { resume: () => void (hasEnded && open()) };
}
