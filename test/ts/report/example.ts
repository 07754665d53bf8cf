/** A small finished run, for tests of what is made of one. */

import type { JudgedDetections } from "../../../ts/comparison/judge-detections.js";
import { type Certificate, LIMITS } from "../../../ts/evaluation/onnx/certify.js";
import type { RunEvent, StepProgress } from "../../../ts/gen/cassl/v1/run.js";
import { parseConfig } from "../../../ts/pipeline/config.js";
import type { ArmResult, RoundResult, RunResult } from "../../../ts/pipeline/pipeline.js";
import { parseTransplant, type ReportInput } from "../../../ts/report/report.js";

const KEY = "0123456789abcdef".repeat(4);
const STARTED = new Date("2026-03-01T14:05:09Z");

export const exampleConfig = parseConfig({
  name: "blood",
  data: {
    labeled: { annotations: "/data/train.json", images: "/data/train", take: 20 },
    unlabeled: { rest_of_labeled: true },
    validation: { annotations: "/data/val.json", images: "/data/val" },
  },
});

const exampleTransplant = parseTransplant(
  "class_agnostic/finetune",
  JSON.stringify({
    parameters_copied_share: 0.9375,
    copied_share_by_part: { backbone: 1, class_predictor: 0 },
    tensors: [
      { name: "a", action: "copied", part: "backbone", reason: "same name and shape", shape: [40, 32] },
      { name: "b", action: "copied", part: "backbone", reason: "same name and shape", shape: [40] },
      { name: "c", action: "reinitialized", part: "class_predictor", reason: "it depends on the classes", shape: [88] },
      { name: "c", action: "dropped", part: "class_predictor", reason: "it starts afresh", shape: [1] },
    ],
  }),
);

export function exampleArm(arm: ArmResult["arm"], ap: number): ArmResult {
  return {
    arm,
    seed: 0,
    labeled_images: 20,
    fraction: 20 / 292,
    target: "light",
    total_iterations: 900,
    ap,
    ap50: ap + 0.2,
    ap75: ap - 0.1,
    class_agnostic_ap: ap + 0.05,
    stats: [],
    per_class: [
      { category_id: 1, name: "RBC", ap: ap - 0.05 },
      { category_id: 2, name: "WBC", ap: ap + 0.05 },
    ],
    detections: { sha256: KEY, size_bytes: 1 },
    weights: { sha256: KEY, size_bytes: 1 },
    onnx: { sha256: KEY, size_bytes: 1 },
    certificate: { sha256: KEY, size_bytes: 1 },
    rounds: arm === "supervised" ? [] : [exampleRound],
  };
}

/** As if AP rose and fell by 2 with the images, and an error of each kind cost 1. */
function exampleJudged(ap: number): JudgedDetections {
  const cost = { count: 3, apGained: 0.01 };
  const samples = Float64Array.from({ length: 1000 }, (_, sample) => ap + 0.02 * Math.sin(sample * (1 + ap)));
  const kinds = {
    classification: cost,
    localization: cost,
    both: cost,
    duplicate: cost,
    background: cost,
    missed: cost,
  };
  return {
    resampled: { ap, samples },
    curve: { recall: [0, 0.5, 1], precision: [1, 0.8, 0] },
    errors: { ap: ap + 0.2, kinds, falsePositives: cost, falseNegatives: cost },
  };
}

const exampleBatch = { box_px: 0.0004, score: 1e-6, unmatched: 0, agreement_ap: 1, mask_pixels: null, detections: 41 };
const exampleCertificate: Certificate = {
  passed: true,
  family: "light",
  probes: ["a.jpg", "b.jpg"],
  limits: LIMITS,
  batches: [1, 2].map((images_per_batch) => ({ images_per_batch, ...exampleBatch })),
};

const exampleRound: RoundResult = {
  score_threshold: 0.3125,
  pseudo_labels: { sha256: KEY, size_bytes: 1 },
  selection: {
    images: 200,
    pseudo_labels: 700,
    empty_images: 9,
    predictions: 6000,
    mean_score: 0.5,
    dropped: { score: 5300, min_side: 0, nms: 0, max_per_image: 0 },
    images_by_labels: [],
    predictions_by_score: [],
    labels_by_score: [],
  },
  quality: {
    average_recall: 0.5,
    calibration_error: 0.1,
    threshold: {
      policy: { policy: "auto", beta: 1 },
      score_threshold: 0.3125,
      images: 4,
      objects: 16,
      precision: 0.75,
      recall: 0.5625,
      f_beta: 0.643,
      boxes_per_image: 3,
      beta: 1,
      interval: {
        confidence: 0.95,
        resamples: 1000,
        score_threshold: [0.21, 0.45],
        precision: [0.6, 0.9],
        recall: [0.4, 0.7],
      },
      curve: [
        { score: 0.9, kept: 2, found: 2, precision: 1, recall: 0.125, f_beta: 0.222 },
        { score: 0.3125, kept: 12, found: 9, precision: 0.75, recall: 0.5625, f_beta: 0.643 },
        { score: 0.05, kept: 80, found: 12, precision: 0.15, recall: 0.75, f_beta: 0.25 },
      ],
      warnings: ["16 objects in 4 held-out images are few: see the interval of the threshold."],
    },
  },
};

const exampleGate = {
  scope: "class_agnostic",
  passed: true,
  overridden: false,
  reason: "That is so; within the limit.",
  remedy: "Change it.",
};

export const exampleResult: RunResult = {
  run: "blood-20260301-140509",
  config_hash: KEY,
  arms: [exampleArm("supervised", 0.4124), exampleArm("class_agnostic", 0.4467)],
  data: {
    labeled: { sha256: KEY, size_bytes: 1 },
    unlabeled: { sha256: KEY, size_bytes: 1 },
    validation: { sha256: KEY, size_bytes: 1 },
  },
  steps: [
    { name: "curate", key: KEY, reused: true, seconds: 41.2 },
    { name: "class_agnostic/warmup", key: KEY, reused: false, seconds: 72.4 },
    { name: "class_agnostic/finetune", key: KEY, reused: false, seconds: 30 },
  ],
  gates: [
    { ...exampleGate, name: "min_box_ratio", value: 0.8312, limit: 0.2 },
    { ...exampleGate, name: "max_empty_share", value: 0.02, limit: 0.8 },
  ],
};

/** One event of the run, `seconds` after its start. */
export function eventAt(seconds: number, event: RunEvent["event"], sequence = 1): RunEvent {
  return { sequence, at: new Date(STARTED.getTime() + 1000 * seconds), event };
}

export function trainedTo(step: string, iteration: number, total: number): RunEvent["event"] {
  const total_loss = 2 * Math.exp(-iteration / (total / 3)) + 0.3;
  const losses = {
    total: total_loss,
    classification: 0.4 * total_loss,
    box_regression: 0.35 * total_loss,
    centerness: 0.25 * total_loss,
  };
  const learning_rate = 0.002 * Math.sin((Math.PI * iteration) / total) ** 2;
  const value = {
    iteration,
    total_iterations: total,
    losses,
    learning_rate,
    images_per_second: 31.4,
    images_per_batch: 16,
    processes: 2,
  };
  return { $case: "step_progress", value: { step, key: KEY, progress: { $case: "train", value } } };
}

/** `steps` in a row, of 10 s and 100 iterations each, after a reused `curate`. */
export function exampleEvents(steps: readonly string[]): RunEvent[] {
  const started = (step: string): RunEvent["event"] => ({ $case: "step_started", value: { step, key: KEY } });
  const finished = (step: string, reused: boolean, seconds: number): RunEvent["event"] => {
    return { $case: "step_finished", value: { step, key: KEY, reused, seconds } };
  };
  const events = [eventAt(0, started("curate")), eventAt(0.1, finished("curate", true, 41.2))];
  for (const [index, step] of steps.entries()) {
    const begin = 0.1 + 10 * index;
    events.push(eventAt(begin, started(step)));
    for (let done = 5; done <= 100; done += 5) events.push(eventAt(begin + done / 10, trainedTo(step, done, 100)));
    events.push(eventAt(begin + 10, finished(step, false, 10)));
  }
  return events.map((event, index) => ({ ...event, sequence: index + 1 }));
}

export function progressIn(events: readonly RunEvent[]): StepProgress[] {
  return events.flatMap(({ event }) => (event?.$case === "step_progress" ? [event.value] : []));
}

export function exampleInput(changes: Partial<ReportInput> = {}): ReportInput {
  const events = exampleEvents(["class_agnostic/warmup", "class_agnostic/finetune"]);
  return {
    run: {
      run_id: exampleResult.run,
      config: exampleConfig,
      created_at: STARTED,
      finished_at: new Date(STARTED.getTime() + 185_000),
    },
    result: exampleResult,
    planned: new Map([["class_agnostic/finetune", 40]]),
    events,
    progress: progressIn(events),
    samples: [],
    curation: { fates: [{ split: "labeled", fate: "used", images: 20 }], leaks: [] },
    transplants: [exampleTransplant],
    judged: exampleResult.arms.map(({ ap }) => exampleJudged(ap)),
    certificates: exampleResult.arms.map(() => exampleCertificate),
    environment: {
      cassl: "0.1.0",
      node: "20.20.0",
      platform: "linux x64",
      host: "lab",
      workers: [
        { name: "one", host: "gpu-box", devices: ["cpu", "cuda:0"], gpus: ["H100"], versions: { torch: "2.14.1" } },
      ],
    },
    ...changes,
  };
}
