import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type JudgeRequest, judgeDetections } from "../../../ts/comparison/judge-detections.js";
import { judgeInThread } from "../../../ts/comparison/judge-in-thread.js";
import type { Dataset } from "../../../ts/core/dataset.js";
import { CasslError } from "../../../ts/core/errors.js";
import { encodeManifest } from "../../../ts/data/manifest.js";
import { evaluateCoco } from "../../../ts/evaluation/coco/index.js";
import { toCocoGroundTruth } from "../../../ts/evaluation/dataset-format.js";

const BOX = [10, 10, 20, 20] as const;
const BOOTSTRAP = { resamples: 50, seed: 1, confidence: 0.9 };

describe("judgeDetections", () => {
  const dataset: Dataset = {
    categories: [
      { id: 3, name: "a" },
      { id: 7, name: "b" },
      { id: 9, name: "never there" },
    ],
    images: [1, 2, 3].map((id) => ({
      id,
      file_name: `${id}.png`,
      sha256: "0".repeat(64),
      width_px: 64,
      height_px: 48,
      annotations: [0, 1].map((class_index) => ({
        class_index,
        box_xywh: [BOX[0] + 25 * class_index, BOX[1], BOX[2], BOX[3]] as const,
        area: 400,
        iscrowd: false,
      })),
    })),
  };
  /** Everything of the first class is found, and of the second what is in the first image. */
  const detections = [1, 2, 3].map((image_id) => ({ image_id, category_id: 3, bbox: [...BOX], score: 0.9 }));
  const some = [...detections, { image_id: 1, category_id: 7, bbox: [35, 10, 20, 20], score: 0.8 }];
  let folder: string;
  let request: JudgeRequest;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "cassl-judge-"));
    const file = async (name: string, content: string | Uint8Array): Promise<string> => {
      await writeFile(join(folder, name), content);
      return join(folder, name);
    };
    request = {
      validation: await file("validation", encodeManifest(dataset)),
      // Spaces make a file that is worth a thread.
      detections: [await file("some", JSON.stringify(some).padEnd(60_000)), await file("none", "[]")],
      bootstrap: BOOTSTRAP,
    };
  });
  after(() => rm(folder, { recursive: true }));

  it("gives the AP of the metric, and one for each sample of images", async () => {
    const [judged] = await judgeDetections(request);
    const { summary } = await evaluateCoco(toCocoGroundTruth(dataset), some);
    assert.equal(judged?.resampled.ap, summary.ap);
    assert.equal(judged?.resampled.samples.length, BOOTSTRAP.resamples);
  });

  it("gives the mean of the curves of the classes that there are, which is what AP50 is the mean of", async () => {
    const [judged] = await judgeDetections(request);
    const { summary } = await evaluateCoco(toCocoGroundTruth(dataset), some);
    const { recall, precision } = judged?.curve ?? assert.fail();
    assert.equal(recall.length, 101);
    assert.ok(Math.abs((precision[0] as number) - 1) < 1e-12);
    assert.ok(Math.abs((precision.at(-1) as number) - 0.5) < 1e-12);
    const mean = precision.reduce((sum, value) => sum + value, 0) / precision.length;
    assert.ok(Math.abs(mean - summary.ap50) < 1e-12);
  });

  it("counts what is missed where nothing was detected", async () => {
    const [, none] = await judgeDetections(request);
    assert.equal(none?.resampled.ap, 0);
    assert.equal(none?.errors.kinds.missed.count, 6);
  });

  it("does the same in a thread", async () => {
    const { signal } = new AbortController();
    assert.deepEqual(await judgeInThread(request, signal), await judgeDetections(request));
    const small = { ...request, detections: request.detections.slice(1) };
    assert.deepEqual(await judgeInThread(small, signal), await judgeDetections(small));
  });

  it("fails in a thread as it does without one, and stops when it is told to", async () => {
    const missing = { ...request, validation: join(folder, "missing") };
    await assert.rejects(judgeInThread(missing, new AbortController().signal), /ENOENT/);
    await assert.rejects(judgeInThread(request, AbortSignal.abort()), { name: "AbortError" });
    const broken = { ...request, validation: join(folder, "broken") };
    await writeFile(broken.validation, "{}\n");
    const error = await judgeDetections(broken).catch((caught: CasslError) => caught);
    assert.ok(error instanceof CasslError);
    const { reason, remedy } = error;
    await assert.rejects(judgeInThread(broken, new AbortController().signal), { reason, remedy });
  });
});
