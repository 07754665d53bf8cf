/** What `cassl doctor` checks of the Python that workers run in. */
import { installWorker } from "../core/package.js";
import { type Finding, finding, lastLine } from "./finding.js";
import {
  type Detectron2Finding,
  type ExtraPackage,
  inspectDetectron2,
  inspectTorch,
  inspectWorker,
  type TorchFinding,
  type WorkerPackage,
  type WorkerPython,
} from "./worker-packages.js";

export async function* checkPython(python: string): AsyncGenerator<Finding> {
  const found = await inspectWorker(python).catch((error: Error) => error);
  if (found instanceof Error) {
    const detail = `${python} cannot be run: ${lastLine(found.message)}`;
    yield finding("python", false, detail, `${installWorker} Or name a Python with --python.`);
    return;
  }
  const remedy = "Install Python 3.11 or newer, or name one with --python.";
  yield finding("python", found.isNewEnough, `${found.version}, ${python}`, remedy);
  const missing = found.packages.filter(({ version }) => version === null).map(({ name }) => name);
  yield checkPackages(python, found, missing);
  if (!missing.includes("torch")) yield* checkTorch(python);
  if (missing.length === 0) yield await checkDetectron2(python);
  yield describeExtras(found.extras);
}

function checkPackages(python: string, { packages }: WorkerPython, missing: readonly string[]): Finding {
  const detail = missing.length > 0 ? `missing: ${missing.join(", ")}` : packages.map(nameAndVersion).join(", ");
  const remedy = `${installWorker} For a Python of your own: ${python} -m pip install ${missing.join(" ")}`;
  return finding("worker", missing.length === 0, detail, remedy);
}

async function* checkTorch(python: string): AsyncGenerator<Finding> {
  const torch = await inspectTorch(python).catch(
    (error: Error) => ({ fault: lastLine(error.message) }) as TorchFinding,
  );
  if (torch.fault !== "") {
    yield finding(
      "torch",
      false,
      `it cannot be imported: ${torch.fault}`,
      `Install it again: ${python} -m pip install --force-reinstall torch torchvision`,
    );
    return;
  }
  const build = torch.cuda === "" ? "built for CPUs" : `built for CUDA ${torch.cuda}`;
  yield finding("torch", true, `${torch.version}, ${build}, ${torch.threads} threads`);
  yield checkCuda(torch);
}

/** Nothing is wrong with a machine without a GPU; with one that is not used there is. */
export function checkCuda({ version, gpus, gpu_files }: TorchFinding): Finding {
  if (gpus.length > 0) return finding("cuda", true, gpus.join(", "));
  return finding(
    "cuda",
    gpu_files === 0,
    gpu_files === 0 ? "no GPU here: workers compute on the CPU" : `torch ${version} can use none of ${gpu_files} GPUs`,
    "See with `nvidia-smi` that the driver works, and install a torch that is built for its CUDA: https://pytorch.org/get-started/locally/",
  );
}

async function checkDetectron2(python: string): Promise<Finding> {
  const probed = await inspectDetectron2(python).catch((error: Error) => error);
  if (!(probed instanceof Error)) return describeDetectron2(probed);
  const detail = `it cannot be looked at: ${lastLine(probed.message)}`;
  return finding("detectron2", false, detail, "Install it again; docs/detectron2.md says how.");
}

/** Nothing is wrong where it is not installed: only its own families need it. */
export function describeDetectron2({ install, found }: Detectron2Finding): Finding {
  if (found === null) return finding("detectron2", true, `not installed; its families need it: ${install}`);
  const { version, file, has_extension, has_model_zoo, fault } = found;
  if (fault !== "")
    return finding("detectron2", false, `it cannot be used: ${fault}`, `If it is broken, install it again: ${install}`);
  const extension = has_extension ? "with _C" : "without _C: no rotated boxes, no deformable convolutions";
  const zoo = `${has_model_zoo ? "with" : "without"} model zoo`;
  return finding("detectron2", true, `${version}, ${file}, ${extension}, ${zoo}`);
}

function describeExtras(extras: readonly ExtraPackage[]): Finding {
  const described = extras.map((one) =>
    one.version === null ? `no ${one.name} (pip install 'cassl-worker[${one.extra}]')` : nameAndVersion(one),
  );
  return finding("extras", true, described.join(", "));
}

function nameAndVersion({ name, version }: WorkerPackage): string {
  return `${name} ${version}`;
}
