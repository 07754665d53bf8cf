import type { Command } from "commander";
import type { ListWorkersResponse, Worker } from "../gen/cassl/v1/controller_service.js";
import { type RunStep, type WaitingTask, waitReasonToJSON } from "../gen/cassl/v1/run.js";
import { formatBytes, formatDuration } from "../report/format.js";
import { type ConnectionFlags, connectionOptions, controllerOption, withController } from "./connection.js";
import { jsonOption } from "./options.js";
import { textTable } from "./table.js";

interface WorkersOptions extends ConnectionFlags {
  readonly json?: true;
}

export function addWorkers(program: Command): void {
  const command = program
    .command("workers")
    .description(
      "List the workers of a controller with what they are at, and the tasks that wait for one, with the reason.",
    )
    .addOption(controllerOption())
    .addOption(jsonOption());
  for (const option of connectionOptions()) command.addOption(option);
  command.action(listWorkers);
}

async function listWorkers(options: WorkersOptions): Promise<void> {
  const fleet = await withController(options, (client) => client.fleet());
  console.log(options.json ? jsonLines(fleet).join("\n") : fleetText(fleet));
}

/** For people. */
function fleetText({ workers, waiting_tasks }: Omit<ListWorkersResponse, "frames">): string {
  const header = ["worker", "name", "computes on", "memory", "backends", "at", "for"];
  const attached = workers.length === 0 ? "No worker is attached." : textTable({ header, rows: workers.map(cellsOf) });
  return [attached, ...waitingLines(waiting_tasks)].join("\n");
}

function cellsOf(worker: Worker): string[] {
  const { worker_id, name, memory_bytes, backends, running_task: task, running_task_id } = worker;
  const [at, seconds] =
    task === undefined
      ? [running_task_id === "" ? "idle" : "what counts no longer", ""]
      : [taskText(task), formatDuration(task.seconds)];
  const memory = memory_bytes === 0 ? "?" : formatBytes(memory_bytes);
  return [worker_id, name, deviceText(worker), memory, backends.join(" "), `${at}${leaving(worker)}`, seconds];
}

function leaving({ draining }: Worker): string {
  return draining ? ", leaving" : "";
}

/** Predictions are computed on the first GPU, trainings on all of them. */
function deviceText({ devices, gpus }: Worker): string {
  const [gpu] = gpus;
  if (gpu === undefined) return devices[0] ?? "nothing";
  const memory = gpu.memory_bytes === 0 ? [] : [formatBytes(gpu.memory_bytes)];
  const count = gpus.length === 1 ? "" : `${gpus.length} x `;
  return [`${count}${gpu.name || gpu.device}`, ...memory].join(", ");
}

/** `run step`, of all runs that it is for. */
function taskText({ kind, steps }: { readonly kind: string; readonly steps: readonly RunStep[] }): string {
  return steps.length === 0 ? kind : steps.map(({ run_id, step }) => `${run_id} ${step}`).join(" + ");
}

function waitingLines(tasks: readonly WaitingTask[]): string[] {
  if (tasks.length === 0) return [];
  const lines = tasks.map((task) => {
    const { seconds, message, remedy } = task;
    return `  ${taskText(task)}, for ${formatDuration(seconds)}: ${message} ${remedy}`.trimEnd();
  });
  return ["", "Waiting for a worker:", ...lines];
}

function jsonLines({ workers, waiting_tasks }: ListWorkersResponse): string[] {
  const waiting = waiting_tasks.map(({ reason, ...task }) => ({
    waiting: { ...task, reason: waitReasonToJSON(reason).replace("WAIT_REASON_", "").toLowerCase() },
  }));
  return [...workers.map((worker) => ({ worker })), ...waiting].map((line) => JSON.stringify(line));
}
