import { type Controller, startController } from "../controller/controller.js";
import type { Config } from "../pipeline/config.js";
import { readRayCluster } from "../ray/settings.js";
import type { ProgressView } from "./progress-view.js";

export interface LocalControllerOptions {
  readonly workspace: string;
  readonly python: string | undefined;
  /** See `rayOption`. */
  readonly ray?: string | undefined;
  /** Without a task for attached workers none is started. Left out: there are some. */
  readonly executor?: Config["executor"];
  /** Whether to show what workers write. */
  readonly debug?: boolean | undefined;
}

/** A controller of a command's own, on this machine, with a worker. Runs that an earlier one left under way have failed then. */
export async function startLocalController(
  { workspace, python, ray, executor, debug = false }: LocalControllerOptions,
  view: ProgressView,
): Promise<Controller> {
  return startController({
    workspace,
    host: "127.0.0.1",
    port: 0,
    childWorkers: executor === undefined || Object.values(executor).includes("local") ? 1 : 0,
    python,
    ray: ray === undefined ? undefined : await readRayCluster(ray),
    recover: "fail",
    onWorkerOutput: debug ? (line) => view.note(`worker: ${line}`) : undefined,
  });
}
