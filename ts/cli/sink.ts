import type { Run, RunEvent } from "../gen/cassl/v1/run.js";

/** Where a run is told of, beside the view. */
export interface Sink {
  begin?(run: Run): void;
  show(event: RunEvent): void;
  /** Resolves when all has been delivered, or cannot be; what it takes is bounded. */
  finish?(): Promise<void>;
}
