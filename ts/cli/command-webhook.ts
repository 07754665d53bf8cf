/** Tells a URL how a command that makes many runs has ended. */
import { randomUUID } from "node:crypto";
import { CasslError } from "../core/errors.js";
import { webhookSecret } from "./webhook.js";
import { deliver, TIMES, type WebhookTimes } from "./webhook-delivery.js";

export interface ToldCommand {
  /** Undefined: nobody is told. */
  readonly url: URL | undefined;
  readonly event: "comparison_ended" | "sweep_ended";
  /** That of the configuration. */
  readonly name: string;
  /** Where to say that it could not be delivered. */
  note(text: string): void;
  readonly times?: WebhookTimes;
}

/** Works, and waits until it is told what that came to, or why it failed, which is thrown all the same. */
export async function tellingEnd(told: ToldCommand, work: () => Promise<object>): Promise<void> {
  try {
    const detail = await work();
    await tell(told, { state: "STATE_SUCCEEDED", ...detail });
  } catch (thrown) {
    const { reason, message, remedy } = CasslError.from(thrown);
    const state = reason === "CANCELLED" ? "STATE_CANCELLED" : "STATE_FAILED";
    await tell(told, { state, error: { reason, message, remedy } });
    throw thrown;
  }
}

async function tell({ url, event, name, note, times = TIMES }: ToldCommand, detail: object): Promise<void> {
  if (url === undefined) return;
  const message = { event, name, at: new Date().toISOString(), detail };
  await deliver(url, message, randomUUID(), webhookSecret(), times).catch((error: Error) =>
    note(`warning: ${url.host} was not told of \`${event}\`: ${error.message}`),
  );
}
