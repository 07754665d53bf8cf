/** What became of prediction frames. */
import type { CasslError } from "../core/errors.js";
import type { FrameCounts } from "../gen/cassl/v1/prediction_frame.js";

/** `deferred`: not answered, because it cannot be said yet whether the sender has a lease; it will be sent again. */
export type FrameOutcome = "committed" | "repeated" | "deferred" | CasslError;

export function noFrames(): FrameCounts {
  return { committed: 0, repeated: 0, refused: {} };
}

export function countFrame(counts: FrameCounts, outcome: FrameOutcome): void {
  if (outcome === "deferred") return;
  if (outcome === "committed" || outcome === "repeated") counts[outcome]++;
  else counts.refused[outcome.reason] = (counts.refused[outcome.reason] ?? 0) + 1;
}
