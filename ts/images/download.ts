/** Images that are elsewhere, over HTTP. */
import { setTimeout as delay } from "node:timers/promises";
import { CasslError } from "../core/errors.js";
import { MAX_FILE_BYTES } from "./image-file.js";

/** `data.remote` of cassl.yaml: where images may be fetched from. */
export interface RemoteConfig {
  /** Hosts, with the port if it is not the usual one; buckets for `s3:`. Nothing is asked of any other. */
  readonly hosts: readonly string[];
  /** For one attempt to fetch one image. */
  readonly timeout_seconds: number;
  /** URL of a server that gives the object KEY of a bucket at /BUCKET/KEY, without a signature. */
  readonly s3_endpoint: string;
  /** Raised by the user when what is behind the URIs has changed. */
  readonly version: number;
  /** Left out: as long as is right for servers of others. */
  readonly retries_after_ms?: readonly number[];
}

/** Why an image cannot be had, although its host answers, or is not to be asked. */
export class FetchFault extends Error {}

const RETRIES_AFTER_MS = [250, 1000, 4000];
const MOST_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** The server may give another answer in a moment: 408, 425, 429 and its own failures. */
const FLEETING = new Set([408, 425, 429]);

/** With these no connection comes about, for this image or any other. */
const UNREACHABLE =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|ERR_TLS|.*CERT.*)/;

/** A FetchFault that another attempt may not meet. */
class Fleeting extends FetchFault {}

/**
 * All bytes of the image, after several attempts if need be.
 * FetchFault if this image cannot be had; CasslError IMAGE_UNREACHABLE if its host cannot, so that trying others is no use.
 */
export async function download(uri: string, remote: RemoteConfig, signal?: AbortSignal): Promise<Buffer> {
  const url = permittedUrl(uri, remote);
  for (const pause of [...(remote.retries_after_ms ?? RETRIES_AFTER_MS), undefined]) {
    try {
      return await fetchBytes(url, remote, signal);
    } catch (error) {
      signal?.throwIfAborted();
      if (pause === undefined || !isFleeting(error)) throw explained(url, error);
      await delay(pause * (0.5 + Math.random()), undefined, signal && { signal });
    }
  }
  throw new Error("unreachable");
}

function permittedUrl(uri: string, { hosts, s3_endpoint }: RemoteConfig): URL {
  if (!URL.canParse(uri)) throw new FetchFault("it is no URI");
  const url = new URL(uri);
  if (!["http:", "https:", "s3:"].includes(url.protocol)) {
    throw new FetchFault(`its URI starts with ${url.protocol}; http:, https: and s3: can be fetched`);
  }
  if (!hosts.includes(url.host)) throw new FetchFault(`data.remote.hosts does not name its host, ${url.host}`);
  if (url.username !== "" || url.password !== "") throw new FetchFault("its URI holds a password");
  return url.protocol === "s3:" ? new URL(`${s3_endpoint.replace(/\/+$/, "")}/${url.host}${url.pathname}`) : url;
}

async function fetchBytes(url: URL, { timeout_seconds }: RemoteConfig, signal?: AbortSignal): Promise<Buffer> {
  const timeout = AbortSignal.timeout(1000 * timeout_seconds);
  const response = await follow(url, signal === undefined ? timeout : AbortSignal.any([timeout, signal]));
  if (!response.ok) {
    await response.body?.cancel();
    const isFleeting = response.status >= 500 || FLEETING.has(response.status);
    throw new (isFleeting ? Fleeting : FetchFault)(`the server answers ${response.status}`);
  }
  return readBody(response);
}

/** Redirects lead to the same host only: no other has been named. */
async function follow(url: URL, signal: AbortSignal): Promise<Response> {
  let place = url;
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
    const response = await fetch(place, { redirect: "manual", signal, headers: { "accept-encoding": "identity" } });
    if (!REDIRECTS.has(response.status)) return response;
    await response.body?.cancel();
    const location = response.headers.get("location") ?? "";
    if (!URL.canParse(location, place.href)) throw new FetchFault(`the server sends us on to "${location}"`);
    const target = new URL(location, place.href);
    if (target.host !== url.host || (url.protocol === "https:" && target.protocol !== "https:")) {
      throw new FetchFault(`the server sends us on to ${target.origin}, another host`);
    }
    place = target;
  }
  throw new FetchFault(`the server sends us on more than ${MOST_REDIRECTS} times`);
}

async function readBody({ headers, body }: Response): Promise<Buffer> {
  const announced = Number(headers.get("content-length") ?? 0);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    size += chunk.length;
    if (Math.max(size, announced) > MAX_FILE_BYTES) {
      throw new FetchFault(`it has more than ${MAX_FILE_BYTES} bytes, which can be read at most`);
    }
  }
  if (size === 0) throw new FetchFault("it is empty");
  return Buffer.concat(chunks, size);
}

/** Whatever is no answer: the connection failed, was cut, or took too long. */
function isFleeting(error: unknown): boolean {
  return error instanceof Fleeting || !(error instanceof FetchFault);
}

function explained(url: URL, error: unknown): Error {
  if (error instanceof FetchFault) return error;
  if ((error as Error).name === "TimeoutError") return new FetchFault("it did not arrive in time", { cause: error });
  const { cause = error } = error as Error;
  const { code = "", message } = cause as NodeJS.ErrnoException;
  if (!UNREACHABLE.test(code)) return new FetchFault(`its transfer was cut off: ${message}`, { cause: error });
  const remedy = "See that it can be reached, then run the same command again: it goes on where it stopped.";
  return new CasslError("IMAGE_UNREACHABLE", `${url.host} cannot be reached: ${message || code}.`, remedy, {
    cause: error,
  });
}
