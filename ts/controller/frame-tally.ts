/** What became of prediction frames, by worker, by task and in all. */
import { CasslError } from "../core/errors.js";
import type { FrameCounts, ShardHeader } from "../gen/cassl/v1/prediction_frame.js";
import { countFrame, type FrameOutcome, noFrames } from "./frame-counts.js";
import type { FrameSources } from "./frame-sender.js";

export interface FrameTally {
  /** Counts the frame. The first refusal for each reason is told to those who wait for the task that it names. */
  note(header: ShardHeader, outcome: FrameOutcome): void;
  /** Frames of the task, as their headers say, since the controller was started. */
  ofTask(taskId: string): FrameCounts;
  /** Those of unknown workers and for unknown tasks included. */
  readonly total: FrameCounts;
}

export function createFrameTally({ findByToken, tasks }: FrameSources): FrameTally {
  const total = noFrames();
  const byTask = new Map<string, FrameCounts>();

  function ofTask(taskId: string): FrameCounts {
    return byTask.get(taskId) ?? noFrames();
  }

  return {
    note(header, outcome) {
      const worker = findByToken(header.token);
      // Counts are kept for tasks that exist: whoever sends what he likes must not fill the memory.
      if (tasks.isUnderWay(header.task_id)) byTask.set(header.task_id, ofTask(header.task_id));
      const counts = [total, worker?.frames, byTask.get(header.task_id)];
      for (const one of counts) if (one !== undefined) countFrame(one, outcome);
      if (!(outcome instanceof CasslError) || byTask.get(header.task_id)?.refused[outcome.reason] !== 1) return;
      tasks.log("warning", `${outcome.message} More of this kind are only counted.`, header.task_id);
    },
    ofTask,
    total,
  };
}
