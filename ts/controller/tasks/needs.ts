/** What a task needs of a worker, and what a worker lacks for it. Pure functions. */
import type { Task } from "../../gen/cassl/v1/task.js";
import type { Register } from "../../gen/cassl/v1/worker_service.js";
import type { Config } from "../../pipeline/config.js";

export interface TaskNeeds extends Readonly<Config["needs"]> {
  /** Of detectors. */
  readonly family: string;
  /** What builds the family. */
  readonly backend: string;
}

export type Capabilities = Readonly<Pick<Register, "devices" | "families" | "backends" | "memory_bytes" | "gpus">>;

/** Something that a worker lacks. */
export interface Lack {
  /** Such as `a GPU`. */
  readonly what: string;
  readonly remedy: string;
}

const ANYTHING: Config["needs"] = { device: "any", gpu_memory_gb: 0, memory_gb: 0 };
/** Begins the names of its families. */
const DETECTRON2 = "detectron2";
const USUAL_BACKEND = "torch";
const PACKAGES: Readonly<Record<string, string>> = {
  [DETECTRON2]: "git+https://github.com/facebookresearch/detectron2.git",
};
const GB = 1e9;

/** @param wanted by the run's configuration. */
export function needsOf(task: Task, wanted = ANYTHING): TaskNeeds {
  const family = familyOf(task);
  return { ...wanted, family, backend: family.startsWith(DETECTRON2) ? DETECTRON2 : USUAL_BACKEND };
}

function familyOf({ kind }: Task): string {
  const isNested = kind?.$case === "pretrain" || kind?.$case === "mean_teacher";
  return (isNested ? kind.value.train : kind?.value)?.detector?.family ?? "";
}

/** What the worker lacks to be given the task. Empty if it can do it. */
export function lacks(needs: TaskNeeds, worker: Capabilities): Lack[] {
  return [...backendLacks(needs, worker), ...deviceLacks(needs, worker), ...memoryLacks(needs, worker)];
}

function backendLacks({ backend, family }: TaskNeeds, { backends, families }: Capabilities): Lack[] {
  if (!backends.includes(backend)) {
    const command = `python -m pip install --no-build-isolation ${PACKAGES[backend] ?? backend}`;
    const remedy = `Install ${backend} for the Python of a worker (${command}), and start that again.`;
    return [{ what: `the backend ${backend}`, remedy }];
  }
  if (families.includes(family)) return [];
  return [{ what: `the detector family ${family || "(none)"}`, remedy: "Attach a worker that has the family." }];
}

function deviceLacks({ device }: TaskNeeds, { devices }: Capabilities): Lack[] {
  const kind = devices.some((name) => name.startsWith("cuda")) ? "cuda" : "cpu";
  if (device === "any" || device === kind) return [];
  return device === "cuda"
    ? [{ what: "a GPU", remedy: "Attach a worker on a machine with a GPU, or set needs.device to any." }]
    : [
        {
          what: "a CPU to compute on",
          remedy: "Attach a worker on a machine without a GPU, or set needs.device to any.",
        },
      ];
}

function memoryLacks({ gpu_memory_gb, memory_gb }: TaskNeeds, { gpus, memory_bytes }: Capabilities): Lack[] {
  return [
    ...tooLittle("GPU memory", gpu_memory_gb, gpus[0]?.memory_bytes ?? 0, "needs.gpu_memory_gb"),
    ...tooLittle("memory", memory_gb, memory_bytes, "needs.memory_gb"),
  ];
}

function tooLittle(what: string, wantedGb: number, bytes: number, field: string): Lack[] {
  if (bytes >= wantedGb * GB) return [];
  const has = bytes === 0 ? "none is known" : `has ${(bytes / GB).toFixed(1)} GB`;
  const remedy = `Attach a worker with ${wantedGb} GB of ${what}, or lower ${field}.`;
  return [{ what: `${wantedGb} GB of ${what} (${has})`, remedy }];
}
