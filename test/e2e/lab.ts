/** A controller with a dashboard, a small project, and a worker in TypeScript, which can be stopped and started again. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { CasslClient } from "../../ts/client/client.js";
import { type Controller, startController } from "../../ts/controller/controller.js";
import { type Dashboard, startDashboard } from "../../ts/dashboard/dashboard.js";
import type { Run, RunConfig } from "../../ts/gen/cassl/v1/run.js";
import { makeCellsProject, workOn } from "../ts/controller/cells-project.js";
import { makeFolder } from "../ts/controller/workbench.js";

export interface Lab {
  readonly folder: string;
  readonly config: RunConfig;
  controller: Controller;
  dashboard: Dashboard;
  client: CasslClient;
  /** A run of the project, with changes to its configuration. */
  create(runId: string, changes?: Partial<RunConfig>): Promise<Run>;
  /** The same, watched to its end, whatever that is. */
  finish(runId: string, changes?: Partial<RunConfig>): Promise<void>;
  /** Has a worker do what there is to do until the controller stops. */
  work(): void;
  stop(): Promise<void>;
  /** On the same workspace and port as before. */
  start(): Promise<void>;
  remove(): Promise<void>;
}

export async function openLab(): Promise<Lab> {
  const folder = await makeFolder();
  const config = await makeCellsProject(folder);
  const workspace = join(folder, ".cassl");
  const start = async (port: number) => {
    const controller = await startController({
      workspace,
      host: "127.0.0.1",
      port: 0,
      childWorkers: 0,
      recover: "resume",
    });
    const dashboard = await startDashboard(controller.parts, { host: "127.0.0.1", port });
    return { controller, dashboard, client: new CasslClient(controller.address) };
  };
  const lab: Lab = {
    folder,
    config,
    ...(await start(0)),
    create: (runId, changes = {}) => lab.client.createRun(runId, { ...config, ...changes }),
    async finish(runId, changes) {
      await lab.create(runId, changes);
      for await (const _ of lab.client.watchRun(runId));
    },
    work: () => void workOn(lab.controller.address),
    async stop() {
      lab.client.close();
      await lab.dashboard.stop();
      await lab.controller.stop();
    },
    async start() {
      Object.assign(lab, await start(Number(new URL(lab.dashboard.url).port)));
    },
    async remove() {
      await lab.stop();
      await rm(folder, { recursive: true });
    },
  };
  return lab;
}
