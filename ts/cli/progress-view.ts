import type { Run, RunEvent } from "../gen/cassl/v1/run.js";

/** Where a run's events go: a terminal, a log or a machine. */
export interface ProgressView {
  /** Before the first event of a run. A comparison has several runs. */
  begin(run: Run): void;
  show(event: RunEvent): void;
  /** Writes a line that is no event. */
  note(text: string): void;
  /** Leaves the terminal as it should be. Another run may begin after it. */
  close(): void;
}
