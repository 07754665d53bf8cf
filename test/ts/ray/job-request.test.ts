import assert from "node:assert/strict";
import { jobRequest, kindOf } from "../../../ts/ray/job-request.js";
import { parseRaySettings } from "../../../ts/ray/settings.js";

const FILE = `
address: http://127.0.0.1:8265
storage: /mnt/shared
python: /opt/venv/bin/python
controller: {token_file: /run/secrets/cassl token}
runtime_env:
  working_dir: s3://bucket/code.zip
  env_vars: {HF_HOME: /mnt/shared/hf}
train: {workers: 4, gpus: 1, labels: {accelerator: h100}}
export: {cpus: 2, memory_gb: 4, resources: {lab-a: 1}}
`;

const ORDER = {
  attempt: { task_id: "3f2a", attempt: 2 },
  kind: "train",
  needs: { memory_gb: 8 },
  submitter: { controller: "c0ffee", address: "10.0.0.5:7070" },
  rayVersion: "2.60.0",
} as const;

describe("the job of an attempt", () => {
  const settings = parseRaySettings(FILE, "ray.yaml");

  it("is known by task and attempt, and says whose it is", () => {
    const { submission_id, metadata } = jobRequest(settings, ORDER);
    assert.equal(submission_id, "3f2a-2");
    assert.deepEqual(metadata, { controller: "c0ffee", address: "10.0.0.5:7070", task: "3f2a", attempt: "2" });
  });

  it("runs a worker that is reserved for it, in place of the shell", () => {
    const { entrypoint } = jobRequest(settings, ORDER);
    assert.equal(
      entrypoint,
      "exec /opt/venv/bin/python -m cassl_worker --controller 10.0.0.5:7070 --name ray-3f2a-2 --reserved-for 3f2a-2 " +
        "--token-file '/run/secrets/cassl token'",
    );
  });

  it("keeps the operator's environment and adds what the driver needs to know", () => {
    const { runtime_env } = jobRequest(settings, ORDER);
    const { CASSL_RAY, ...others } = runtime_env["env_vars"] as Record<string, string>;
    assert.equal(runtime_env["working_dir"], "s3://bucket/code.zip");
    assert.deepEqual(others, { HF_HOME: "/mnt/shared/hf" });
    const { train, storage, ray_version } = JSON.parse(CASSL_RAY ?? "") as Record<string, { workers?: number }>;
    assert.deepEqual([storage, ray_version], ["/mnt/shared", "2.60.0"]);
    assert.deepEqual(train, { ...settings.train, memory_gb: 8 });
  });

  it("asks for what the work needs only where its driver does the work", () => {
    assert.deepEqual(demands(jobRequest(settings, ORDER)), {});
    assert.deepEqual(demands(jobRequest(settings, { ...ORDER, kind: "export" })), {
      entrypoint_num_cpus: 2,
      entrypoint_memory: 8e9,
      entrypoint_resources: { "lab-a": 1 },
    });
  });
});

function demands(request: object): object {
  return Object.fromEntries(Object.entries(request).filter(([key]) => key.startsWith("entrypoint_")));
}

describe("the kind of a task", () => {
  it("is train for every training", () => {
    const kinds = ["train", "pretrain", "mean_teacher", "predict", "export"].map((name) =>
      kindOf({ kind: { $case: name, value: {} } as never }),
    );
    assert.deepEqual(kinds, ["train", "train", "train", "predict", "export"]);
  });
});
