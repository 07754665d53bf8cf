import assert from "node:assert/strict";
import { checkCuda } from "../../../ts/cli/doctor-python.js";

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
