import { CasslClient } from "../client/client.js";
import { type Controller, startController } from "../controller/controller.js";
import type { Config } from "../pipeline/config.js";
import { readRayCluster } from "../ray/settings.js";
import type { LocalOptions } from "./options.js";
import type { ProgressView } from "./progress-view.js";

export interface LocalControllerOptions extends LocalOptions {
  readonly workspace: string;
  /** Without a task for attached workers none is started. */
  readonly executor: Config["executor"];
}

/**
 * Works with a controller of a command's own, on this machine, with a worker. Both have ended when it returns.
 * Runs that an earlier controller left under way have failed then.
 */
export async function withLocalController<T>(
  options: LocalControllerOptions,
  view: ProgressView,
  work: (client: CasslClient, controller: Controller) => Promise<T>,
): Promise<T> {
  const controller = await startLocalController(options, view);
  const client = new CasslClient(controller.address);
  try {
    return await work(client, controller);
  } finally {
    client.close();
    await controller.stop();
  }
}

async function startLocalController(
  { workspace, python, ray, executor, debug }: LocalControllerOptions,
  view: ProgressView,
): Promise<Controller> {
  return startController({
    workspace,
    host: "127.0.0.1",
    port: 0,
    childWorkers: Object.values(executor).includes("local") ? 1 : 0,
    python,
    ray: ray === undefined ? undefined : await readRayCluster(ray),
    recover: "fail",
    onWorkerOutput: debug ? (line) => view.note(`worker: ${line}`) : undefined,
  });
}
