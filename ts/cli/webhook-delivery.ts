/** POSTs JSON to a URL, again where that may help. */
import { createHmac } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { version } from "../core/package.js";

export interface WebhookTimes {
  readonly timeoutMs: number;
  /** Before the second attempt, or up to half less, at random; twice as long before each further one. */
  readonly backoffMs: number;
  readonly attempts: number;
}

export const TIMES: WebhookTimes = { timeoutMs: 10_000, backoffMs: 1000, attempts: 5 };

/**
 * @param id the same for what is told again: `X-Cassl-Delivery`.
 * @param secret signs the body, if it is given.
 * Throws when the last attempt has failed, or at once where another would end the same way.
 */
export async function deliver(
  url: URL,
  message: object,
  id: string,
  secret: string | undefined,
  { timeoutMs, backoffMs, attempts }: WebhookTimes,
): Promise<void> {
  const body = JSON.stringify(message);
  const headers = {
    "Content-Type": "application/json",
    "User-Agent": `cassl/${version}`,
    // The same at each attempt: who has seen it may drop the second.
    "X-Cassl-Delivery": id,
    ...(secret === undefined ? {} : { "X-Cassl-Signature": `sha256=${signature(body, secret)}` }),
  };
  for (let attempt = 1; ; attempt++) {
    const failure = await post(url, body, headers, timeoutMs);
    if (failure === undefined) return;
    if (!failure.mayPass || attempt === attempts) throw new Error(`${failure.message} (attempt ${attempt})`);
    await delay(backoffMs * 2 ** (attempt - 1) * (0.5 + Math.random() / 2));
  }
}

export function signature(body: string, secret: string): string {
  return createHmac("sha256", secret).update(body).digest("hex");
}

interface Failure {
  readonly message: string;
  readonly mayPass: boolean;
}

async function post(
  url: URL,
  body: string,
  headers: Record<string, string>,
  timeoutMs: number,
): Promise<Failure | undefined> {
  try {
    // A redirect is followed nowhere: what is signed for one host is for no other.
    const response = await fetch(url, {
      method: "POST",
      body,
      headers,
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutMs),
    });
    await response.body?.cancel();
    if (response.ok) return undefined;
    const { status } = response;
    return { message: `it answered ${status}`, mayPass: status === 408 || status === 429 || status >= 500 };
  } catch (error) {
    const { message, cause } = error as Error;
    return { message: cause instanceof Error ? cause.message || message : message, mayPass: true };
  }
}
