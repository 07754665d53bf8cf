/** What else is told of a run that is followed: services that keep its metrics, and whoever waits for its end. */
import type { ProgressView } from "./progress-view.js";
import type { Sink } from "./sink.js";
import { tensorboardSink } from "./tensorboard.js";
import { openTracker } from "./tracker.js";
import { webhookSecret, webhookSink } from "./webhook.js";

export interface SinkOptions {
  readonly tensorboard?: string;
  readonly mlflow?: string;
  readonly wandb?: string;
  readonly webhook?: URL;
}

/**
 * Works with a view that the sinks hear as well, and waits for what they have yet to deliver.
 * WORKER_INCOMPLETE, before any work, if the Python lacks the library of a service that is asked for.
 */
export async function withSinks<T>(
  view: ProgressView,
  options: SinkOptions,
  python: string,
  work: (view: ProgressView) => Promise<T>,
): Promise<T> {
  const note = (text: string): void => view.note(text);
  const { tensorboard, mlflow, wandb, webhook } = options;
  const sinks: Sink[] = [];
  try {
    if (mlflow !== undefined) sinks.push(await openTracker("mlflow", mlflow, python, note));
    if (wandb !== undefined) sinks.push(await openTracker("wandb", wandb, python, note));
    if (tensorboard !== undefined) sinks.push(tensorboardSink(tensorboard));
    if (webhook !== undefined) sinks.push(webhookSink(webhook, webhookSecret(), note));
    return await work(withAll(view, sinks));
  } finally {
    await Promise.all(sinks.map(async (sink) => sink.finish?.()));
  }
}

function withAll(view: ProgressView, sinks: readonly Sink[]): ProgressView {
  return {
    ...view,
    begin(run) {
      view.begin(run);
      for (const sink of sinks) sink.begin?.(run);
    },
    show(event) {
      view.show(event);
      for (const sink of sinks) sink.show(event);
    },
  };
}
