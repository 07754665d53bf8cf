/** Tells a URL of the end of a run and of gates that are not passed, without holding up the run. */
import { InvalidArgumentError, Option } from "commander";
import { sha256 } from "../core/hash.js";
import type { ArmEvaluated, Run, RunEvent } from "../gen/cassl/v1/run.js";
import { State } from "../gen/cassl/v1/run.js";
import { eventJson } from "./event-json.js";
import type { Sink } from "./sink.js";
import { deliver, TIMES, type WebhookTimes } from "./webhook-delivery.js";

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** What is posted. */
export interface Notification {
  readonly event: "run_ended" | "gate_failed";
  readonly run: string;
  readonly name: string;
  /** Of the event, in ISO 8601. */
  readonly at: string;
  /** As `cassl run --json` prints it: the event's value. */
  readonly detail: unknown;
  /** APs of the arms that have been evaluated so far, fractions. */
  readonly arms: readonly ArmEvaluated[];
}

export function webhookOption(when = "the run ends and when a gate is not passed"): Option {
  const description = `POST there when ${when}; signed with $CASSL_WEBHOOK_SECRET`;
  return new Option("--webhook <url>", description).argParser(parseWebhook);
}

/** https, or http to this machine. Throws InvalidArgumentError. */
export function parseWebhook(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isSafe = url?.protocol === "https:" || (url?.protocol === "http:" && LOOPBACK.test(url.hostname));
  if (url === undefined || !isSafe)
    throw new InvalidArgumentError("It must be an https: URL, or an http: URL of this machine.");
  if (url.username !== "" || url.password !== "")
    throw new InvalidArgumentError("It must hold no password; set CASSL_WEBHOOK_SECRET to sign what is sent.");
  return url;
}

/** None where it is empty: with an empty key anybody could sign. */
export function webhookSecret(): string | undefined {
  return process.env["CASSL_WEBHOOK_SECRET"] || undefined;
}

export interface WebhookOptions {
  readonly times?: WebhookTimes;
  /** What happened before, in ms since 1970, is not told: who follows a run that goes on hears all of it again. @default now */
  readonly since?: number;
}

/**
 * @param secret signs what is sent, if it is given: `X-Cassl-Signature: sha256=` and the HMAC of the body, in hexadecimal.
 * @param note where to say that something could not be delivered.
 */
export function webhookSink(
  url: URL,
  secret: string | undefined,
  note: (text: string) => void,
  { times = TIMES, since = Date.now() }: WebhookOptions = {},
): Sink {
  const arms: ArmEvaluated[] = [];
  const deliveries: Promise<void>[] = [];
  let run: Run | undefined;
  return {
    begin(begun) {
      run = begun;
      arms.length = 0;
    },
    show(event) {
      if (event.event?.$case === "arm_evaluated") arms.push(event.event.value);
      if (run === undefined || (event.at?.getTime() ?? 0) < since) return;
      const notification = notificationOf(run, event, [...arms]);
      if (notification === undefined) return;
      const id = sha256(`${run.run_id} ${run.config_hash} ${event.sequence}`).slice(0, 32);
      deliveries.push(
        deliver(url, notification, id, secret, times).catch((error: Error) =>
          note(`warning: ${url.host} was not told of \`${notification.event}\`: ${error.message}`),
        ),
      );
    },
    async finish() {
      await Promise.all(deliveries);
    },
  };
}

/** For a controller, which has many runs at a time. */
export interface Webhooks {
  tell(run: Run, event: RunEvent): void;
  finish(): Promise<void>;
}

/** @param open makes the sink of one run. */
export function webhooksOf(open: () => Sink): Webhooks {
  const sinks = new Map<string, Sink>();
  const finishing = new Set<Promise<void>>();

  function sinkOf(run: Run): Sink {
    const sink = sinks.get(run.run_id) ?? open();
    if (!sinks.has(run.run_id)) sink.begin?.(run);
    sinks.set(run.run_id, sink);
    return sink;
  }

  return {
    tell(run, event) {
      const sink = sinkOf(run);
      sink.show(event);
      if (kindOf(event) !== "run_ended") return;
      sinks.delete(run.run_id);
      const finished = Promise.resolve(sink.finish?.());
      finishing.add(finished);
      void finished.then(() => finishing.delete(finished));
    },
    async finish() {
      await Promise.all([...finishing, ...[...sinks.values()].map(async (sink) => sink.finish?.())]);
    },
  };
}

function notificationOf(run: Run, entry: RunEvent, arms: readonly ArmEvaluated[]): Notification | undefined {
  const name = kindOf(entry);
  if (name === undefined) return undefined;
  const kind = entry.event?.$case ?? "";
  const detail = (eventJson(entry) as Record<string, unknown>)[kind];
  const at = (entry.at ?? new Date()).toISOString();
  return { event: name, run: run.run_id, name: run.config?.name ?? run.run_id, at, detail, arms };
}

function kindOf({ event }: RunEvent): Notification["event"] | undefined {
  if (event?.$case === "gate_checked") return event.value.passed ? undefined : "gate_failed";
  if (event?.$case !== "state_changed") return undefined;
  const { state } = event.value;
  return state === State.PENDING || state === State.RUNNING ? undefined : "run_ended";
}
