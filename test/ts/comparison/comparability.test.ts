import assert from "node:assert/strict";
import { incomparabilities, type RankedRun } from "../../../ts/comparison/comparability.js";
import { parseConfig } from "../../../ts/pipeline/config.js";
import { exampleResult } from "../report/example.js";

const set = (name: string) => ({ annotations: `${name}.json`, images: name });

function run(name: string, stages: object = {}, detector: object = {}): RankedRun {
  const data = { labeled: set("train"), unlabeled: { images: ["more"] }, validation: set("val") };
  return { result: { ...exampleResult, run: name }, config: parseConfig({ name, data, stages, detector }) };
}

describe("incomparabilities", () => {
  it("finds none between runs that differ in what may be compared", () => {
    const other = run("b", { warmup: { solver: { learning_rate: 0.001 } } }, { family: "retinanet" });
    assert.deepEqual(incomparabilities([run("a"), other]), []);
  });

  it("names the difference and its runs", () => {
    const finetune = (fields: object) => run("b", { finetune: fields });
    for (const [other, expected] of [
      [
        finetune({ predict: { score_threshold: 0.3 } }),
        /stages\.finetune\.predict\.score_threshold: 0\.05 \(a\), 0\.3 \(b\)/,
      ],
      [finetune({ predict: { max_detections: 10 } }), /max_detections: 100 \(a\), 10 \(b\)/],
      [finetune({ solver: { images_per_batch: 16 } }), /images_per_batch of the fine-tune: 8 \(a\), 16 \(b\)/],
      [finetune({ solver: { precision: "float32" } }), /precision of the fine-tune: auto \(a\), float32 \(b\)/],
      [finetune({ solver: { iterations: 500 } }), /total of training iterations: 900 \(a\), 1100 \(b\)/],
      [run("b", {}, { input_width_px: 512 }), /input size of the detector: 256 x 192 px \(a\), 512 x 192 px \(b\)/],
    ] as const) {
      const found = incomparabilities([run("a"), other]);
      assert.equal(found.length, 1, found.join());
      assert.match(found[0] ?? "", expected);
    }
  });

  it("warns of other validation images and of other numbers of labels", () => {
    const other = run("b");
    const data = { ...other.result.data, validation: { sha256: "f".repeat(64), size_bytes: 1 } };
    const arms = other.result.arms.map((arm) => ({ ...arm, labeled_images: 7 }));
    const found = incomparabilities([run("a"), { ...other, result: { ...other.result, data, arms } }]);
    assert.match(found.join(), /validation set: .*ffffffffffff \(b\).*number of labeled images: .*7 \(b\)/);
  });
});
