import assert from "node:assert/strict";
import { diagnosisText } from "../../../ts/cli/diagnosis-tables.js";
import { cocoText, evaluationJson, lvisText } from "../../../ts/cli/evaluation-output.js";
import { evaluateCoco } from "../../../ts/evaluation/coco/index.js";
import { compareModels, diagnose } from "../../../ts/evaluation/diagnosis/index.js";
import { placed } from "../evaluation/diagnosis/fixtures.js";

const { groundTruth, results } = placed("1 cat 0, 1 dog 100", "1 owl 100, 1 cat 0");

describe("what cassl eval prints", () => {
  it("is a dash wherever there is nothing to find", async () => {
    const nothing = { ...groundTruth, annotations: [] };
    const { evaluation, diagnosis } = await diagnose(nothing, results);
    const federated = {
      ...nothing,
      images: nothing.images.map((image) => ({ ...image, neg_category_ids: [], not_exhaustive_category_ids: [] })),
    };
    const { lvis } = await evaluateCoco(federated, results, { federated: true });
    const texts = [
      cocoText(evaluation.summary, [1, 10, 100]),
      diagnosisText(diagnosis),
      lvisText(lvis ?? assert.fail()),
    ];
    for (const text of texts) assert.doesNotMatch(text, /-\d/);
    assert.match(diagnosisText(diagnosis), /^cat +0 +1 +- +- +- +- +- +-$/m);
    assert.match(diagnosisText(diagnosis), /^without classes +- +- +- +-$/m);
  });

  it("says how often a class was taken for another, and what fixing that would gain", async () => {
    const text = diagnosisText((await diagnose(groundTruth, results)).diagnosis);
    assert.match(text, /^dog +owl +1 +100 %$/m);
    assert.match(text, /^classification +1 +50\.0$/m);
  });

  it("has snake_case keys and fractions as JSON, and the confusion matrix as rows", async () => {
    const { evaluation, diagnosis } = await diagnose(groundTruth, results);
    const comparison = compareModels(evaluation.matches, evaluation.matches, { resamples: 2 });
    const json = evaluationJson(evaluation, diagnosis, comparison);
    assert.doesNotMatch(JSON.stringify(json), /"[a-z0-9]*[A-Z][A-Za-z]*":/);
    const { diagnosis: shown, per_class, comparison: compared } = JSON.parse(JSON.stringify(json)) as Shown;
    assert.deepEqual(shown.confusion.counts, [
      [1, 0, 0, 0],
      [0, 0, 1, 0],
      [0, 0, 0, 0],
      [0, 0, 0, 0],
    ]);
    assert.deepEqual([per_class[2]?.ar, shown.errors.kinds.classification.count], [-1, 1]);
    assert.deepEqual([compared.difference, compared.resamples], [0, 2]);
  });
});

interface Shown {
  readonly per_class: { ar: number }[];
  readonly diagnosis: {
    readonly confusion: { counts: number[][] };
    readonly errors: { kinds: { classification: { count: number; ap_gained: number } } };
  };
  readonly comparison: { difference: number; resamples: number };
}
