import { type Controller, startController } from "../controller/controller.js";
import type { ProgressView } from "./progress-view.js";

export interface LocalControllerOptions {
  readonly workspace: string;
  readonly python: string | undefined;
  /** Whether to show what workers write. */
  readonly debug?: boolean | undefined;
}

/** A controller of a command's own, on this machine, with a worker. Runs that an earlier one left under way have failed then. */
export function startLocalController(
  { workspace, python, debug = false }: LocalControllerOptions,
  view: ProgressView,
): Promise<Controller> {
  return startController({
    workspace,
    host: "127.0.0.1",
    port: 0,
    childWorkers: 1,
    python,
    recover: "fail",
    onWorkerOutput: (line) => debug && view.note(`worker: ${line}`),
  });
}
