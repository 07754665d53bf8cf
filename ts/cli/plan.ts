import { setTimeout as delay } from "node:timers/promises";
import { type Command, Option } from "commander";
import { CasslClient } from "../client/client.js";
import { startController } from "../controller/controller.js";
import { CasslError } from "../core/errors.js";
import { type PlannedStep, plannedStepStateToJSON, type RunPlan } from "../gen/cassl/v1/controller_service.js";
import { toRunConfig } from "../pipeline/config.js";
import { formatBytes, formatDuration, formatNumber } from "../report/format.js";
import { type Override, readConfig } from "./config-file.js";
import { type ConnectionFlags, connectionOptions, withController } from "./connection.js";
import { interruptSignal } from "./interrupt.js";
import { jsonOption, pythonOption, setOption, workspaceBeside, workspaceOption } from "./options.js";
import { textTable } from "./table.js";

interface PlanOptions extends Partial<ConnectionFlags> {
  readonly probe?: true;
  readonly workspace?: string;
  readonly python?: string;
  readonly set?: readonly Override[];
  readonly json?: true;
}

/** A worker has loaded torch by then. */
const WORKER_SECONDS = 60;

export function addPlan(program: Command): void {
  const command = program
    .command("plan")
    .description(
      "Say what a run would do before it is paid for: which steps run and which are reused, and how long they take, by " +
        "what earlier steps took. The images are looked into, which a run reuses; nothing is trained, unless with --probe.",
    )
    .argument("<config>", "configuration, such as cassl.yaml")
    .addOption(new Option("--controller <address>", "ask this controller (default: plan on this machine)"))
    .option("--probe", "train for 20 iterations what has never been measured")
    .addOption(workspaceOption("beside the configuration"))
    .addOption(pythonOption())
    .addOption(setOption())
    .addOption(jsonOption("print the plan as one JSON object"));
  for (const option of connectionOptions()) command.addOption(option);
  command.action(plan);
}

async function plan(file: string, options: PlanOptions): Promise<void> {
  const config = await readConfig(file, options.set ?? []);
  const signal = interruptSignal();
  const probe = options.probe ?? false;
  const ask = (client: CasslClient): Promise<RunPlan> => client.planRun(toRunConfig(config), { probe, signal });
  const { controller } = options;
  const planned =
    controller === undefined
      ? await onThisMachine(workspaceBeside(file, options.workspace), options, signal, ask)
      : await withController({ ...options, controller }, ask);
  console.log(options.json ? JSON.stringify(planJson(planned)) : planText(planned));
}

/** With a controller of its own, which leaves runs alone, and a worker if there is something for it to do. */
async function onThisMachine(
  workspace: string,
  { probe, python }: PlanOptions,
  signal: AbortSignal,
  ask: (client: CasslClient) => Promise<RunPlan>,
): Promise<RunPlan> {
  const place = { workspace, host: "127.0.0.1", port: 0 };
  const controller = await startController({ ...place, childWorkers: probe ? 1 : 0, python, recover: "leave" });
  const client = new CasslClient(controller.address);
  try {
    if (probe) await workerAt(client, signal);
    return await ask(client);
  } finally {
    client.close();
    await controller.stop();
  }
}

/** Returns when a worker is attached. WORKER_FAILED if none comes. */
async function workerAt(client: CasslClient, signal: AbortSignal): Promise<void> {
  for (let waited = 0; (await client.listWorkers({ signal })).length === 0; waited += 0.1) {
    if (waited > WORKER_SECONDS) throw new CasslError("WORKER_FAILED", "No worker has started.", "Run `cassl doctor`.");
    await delay(100, undefined, { signal });
  }
}

function planJson({ steps, ...plan }: RunPlan): object {
  return { ...plan, steps: steps.map((step) => ({ ...step, state: stateName(step) })) };
}

function planText(plan: RunPlan): string {
  const header = ["step", "", "iterations", "batch", "learning rate", "images", "time", "disk"];
  const { labeled_images, unlabeled_images, validation_images } = plan;
  const due = plan.steps.filter((step) => stateName(step) !== "reused").length;
  const known = formatDuration(plan.steps.reduce((sum, { seconds = 0 }) => sum + seconds, 0));
  const total = plan.seconds === undefined ? `${known} and what a step with ? takes, which was never measured` : known;
  return [
    textTable({ header, rows: plan.steps.map(cellsOf) }),
    "",
    `Images: ${labeled_images} labeled, ${unlabeled_images} unlabeled, ${validation_images} to validate.`,
    `Each arm trains for ${plan.iterations_per_arm} iterations in all. ${due} of ${plan.steps.length} steps run.`,
    `Time: ${total}. ${measuredOn(plan)}`,
    `Free on the disk: ${formatBytes(plan.free_bytes)}.`,
    ...(plan.steps.some((step) => stateName(step) === "depends")
      ? ["A step that depends runs, unless the results before it turn out to be known ones."]
      : []),
  ].join("\n");
}

function cellsOf(step: PlannedStep): string[] {
  const number = (value: number): string => (value === 0 ? "" : formatNumber(value));
  return [
    step.step,
    stateName(step),
    step.iterations === 0 ? "" : String(step.iterations),
    step.images_per_batch === 0 ? "" : String(step.images_per_batch),
    number(step.learning_rate),
    step.images === 0 ? "" : String(step.images),
    stateName(step) === "reused" ? "" : step.seconds === undefined ? "?" : formatDuration(step.seconds),
    step.disk_bytes === undefined || step.disk_bytes === 0 ? "" : formatBytes(step.disk_bytes),
  ];
}

function measuredOn({ steps, devices }: RunPlan): string {
  const measured = [...new Set(steps.map(({ measured_on }) => measured_on).filter((device) => device !== ""))];
  const attached = devices.length === 0 ? "No worker is attached" : `Attached: ${devices.join("; ")}`;
  return measured.length === 0 ? `${attached}.` : `${attached}; measured on ${measured.join("; ")}.`;
}

/** `reused` of PLANNED_STEP_STATE_REUSED. */
function stateName({ state }: PlannedStep): string {
  return plannedStepStateToJSON(state).replace("PLANNED_STEP_STATE_", "").toLowerCase();
}
