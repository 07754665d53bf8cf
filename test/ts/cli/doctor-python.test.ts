import assert from "node:assert/strict";
import { checkCuda, describeDetectron2 } from "../../../ts/cli/doctor-python.js";

describe("doctor on CUDA", () => {
  const torch = { version: "2.14.1+cpu", cuda: "", threads: 2, fault: "" };

  it("finds nothing wrong with a machine without a GPU", () => {
    assert.deepEqual(checkCuda({ ...torch, gpus: [], gpu_files: 0 }), {
      check: "cuda",
      ok: true,
      detail: "no GPU here: workers compute on the CPU",
    });
  });

  it("names the GPUs that torch can use", () => {
    assert.equal(
      checkCuda({ ...torch, gpus: ["NVIDIA H100", "NVIDIA H100"], gpu_files: 2 }).detail,
      "NVIDIA H100, NVIDIA H100",
    );
  });

  it("says what to do where there is a GPU that torch cannot use", () => {
    const { ok, detail, remedy } = checkCuda({ ...torch, gpus: [], gpu_files: 1 });
    assert.deepEqual([ok, detail], [false, "torch 2.14.1+cpu can use none of 1 GPUs"]);
    assert.match(remedy ?? "", /nvidia-smi/);
  });
});

describe("doctor on detectron2", () => {
  const install = "python -m pip install git+https://host/detectron2.git";
  const found = { version: "0.6", file: "/d2/__init__.py", has_extension: false, has_model_zoo: true, fault: "" };

  it("finds nothing wrong where it is not installed, and says how to get it", () => {
    const { ok, detail } = describeDetectron2({ install, found: null });
    assert.deepEqual([ok, detail], [true, `not installed; its families need it: ${install}`]);
  });

  it("says version, file, and what is missing without its compiled part and its model zoo", () => {
    const { ok, detail } = describeDetectron2({ install, found });
    assert.equal(ok, true);
    assert.match(detail, /^0\.6, \/d2\/__init__\.py, without _C: no rotated boxes.*, with model zoo$/);
    const whole = describeDetectron2({ install, found: { ...found, has_extension: true, has_model_zoo: false } });
    assert.match(whole.detail, /, with _C, without model zoo$/);
  });

  it("says why it cannot be used, and what to do", () => {
    const { ok, detail, remedy } = describeDetectron2({ install, found: { ...found, fault: "built for another" } });
    assert.deepEqual([ok, detail], [false, "it cannot be used: built for another"]);
    assert.ok(remedy?.endsWith(install));
  });
});
