import assert from "node:assert/strict";
import { FALSE_POSITIVE, TRUE_POSITIVE } from "../../../../ts/evaluation/coco/index.js";
import { type ConfusionMatrix, confusedPairs, confusionMatrix } from "../../../../ts/evaluation/diagnosis/index.js";
import { type DataSet, matchesOf, placed, randomDataSet } from "./fixtures.js";

function rowsOf({ counts, categories }: ConfusionMatrix): number[][] {
  const side = categories.length + 1;
  return Array.from({ length: side }, (_, row) => [...counts.subarray(row * side, (row + 1) * side)]);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** The same with equal scores and IoUs. */
function onGrid({ groundTruth, results }: DataSet): DataSet {
  const rounded = (bbox: readonly number[] = []): number[] =>
    bbox.map((side) => 40 * Math.max(Math.round(side / 40), 1));
  return {
    groundTruth: {
      ...groundTruth,
      annotations: groundTruth.annotations.map((annotation) => ({ ...annotation, bbox: rounded(annotation.bbox) })),
    },
    results: results.map((result) => ({
      ...result,
      bbox: rounded(result.bbox),
      score: Math.ceil(4 * result.score) / 4,
    })),
  };
}

/** From an evaluation without classes, whose matches know nothing of any. */
async function confusionWithoutClasses(data: DataSet): Promise<number[][]> {
  const { detections, groundTruth } = await matchesOf(data, { useCats: false });
  const counts = Array.from({ length: 4 }, () => [0, 0, 0, 0]);
  const count = (truth: number, detected: number): void => {
    const row = counts[truth] as number[];
    row[detected] = (row[detected] as number) + 1;
  };
  const classOf = (record: { category_id: number } | undefined): number => (record?.category_id ?? 0) - 1;
  detections.row.forEach((result, d) => {
    const detected = classOf(data.results[result]);
    const taken = groundTruth.row[detections.groundTruth[d] as number] ?? -1;
    if (detections.outcome[d] === TRUE_POSITIVE) count(classOf(data.groundTruth.annotations[taken]), detected);
    if (detections.outcome[d] === FALSE_POSITIVE) count(3, detected);
  });
  groundTruth.row.forEach((annotation, row) => {
    const isMissed = groundTruth.ignored[row] === 0 && groundTruth.detection[row] === -1;
    if (isMissed) count(classOf(data.groundTruth.annotations[annotation]), 3);
  });
  return counts;
}

describe("confusionMatrix", () => {
  it("has true classes as rows and detected classes as columns, with the background last", async () => {
    const data = placed("1 cat 0, 1 cat 100, 1 dog 200, 2 dog 0", "1 cat 0, 1 dog 100, 1 owl 300");
    assert.deepEqual(rowsOf(confusionMatrix(await matchesOf(data))), [
      [1, 1, 0, 0],
      [0, 0, 0, 2],
      [0, 0, 0, 0],
      [0, 0, 1, 0],
    ]);
  });

  it("gives an object to the best-scored detection, whatever its class", async () => {
    const data = placed("1 cat 0", "1 dog 2, 1 cat 0");
    assert.deepEqual(rowsOf(confusionMatrix(await matchesOf(data))), [
      [0, 1, 0, 0],
      [0, 0, 0, 0],
      [0, 0, 0, 0],
      [1, 0, 0, 0],
    ]);
  });

  it("leaves out detections below the score", async () => {
    const data = placed("1 cat 0", "1 dog 2, 1 cat 0, 1 owl 300");
    const counts = rowsOf(confusionMatrix(await matchesOf(data), { minScore: 0.895 }));
    assert.equal(sum(counts.flat()), 1);
    assert.equal(counts[0]?.[1], 1);
  });

  it("leaves out crowds and what takes them", async () => {
    const { groundTruth, results } = placed("1 cat 0", "1 cat 0, 1 dog 0");
    const annotations = groundTruth.annotations.map((annotation) => ({ ...annotation, iscrowd: 1 }));
    const { counts } = confusionMatrix(await matchesOf({ groundTruth: { ...groundTruth, annotations }, results }));
    assert.ok(counts.every((count) => count === 0));
  });

  it("leaves out what is ignored because a class is not annotated exhaustively", async () => {
    const { groundTruth, results } = placed("1 cat 0", "1 cat 0, 1 cat 300, 1 dog 300");
    const images = groundTruth.images.map(({ id }) => ({
      id,
      neg_category_ids: [2],
      not_exhaustive_category_ids: [1],
    }));
    const federated = await matchesOf({ groundTruth: { ...groundTruth, images }, results }, { federated: true });
    assert.deepEqual(rowsOf(confusionMatrix(federated)).at(-1), [0, 1, 0, 0]);
  });

  it("counts each object in its row and each detection in its column", async () => {
    for (let seed = 0; seed < 20; seed++) {
      const { groundTruth, results } = randomDataSet(seed);
      const annotations = groundTruth.annotations.map((annotation) => ({ ...annotation, iscrowd: 0 }));
      const matches = await matchesOf({ groundTruth: { ...groundTruth, annotations }, results });
      const counts = rowsOf(confusionMatrix(matches, { minIou: 0.7 }));
      matches.categories.forEach(({ id }, k) => {
        const objects = annotations.filter((annotation) => annotation.category_id === id).length;
        const detections = results.filter((result) => result.category_id === id).length;
        assert.equal(sum(counts[k] ?? []), objects);
        assert.equal(sum(counts.map((row) => row[k] ?? 0)), detections);
      });
    }
  });

  it("matches as class-agnostic evaluation does", async () => {
    for (let seed = 0; seed < 40; seed++) {
      const data = onGrid(randomDataSet(seed));
      assert.deepEqual(rowsOf(confusionMatrix(await matchesOf(data))), await confusionWithoutClasses(data));
    }
  });
});

describe("confusedPairs", () => {
  it("are of different classes, the most frequent first", async () => {
    const data = placed(
      "1 cat 0, 1 cat 100, 1 dog 200, 1 dog 300",
      "1 cat 0, 1 owl 100, 1 owl 200, 1 owl 300, 2 cat 0",
    );
    const matrix = confusionMatrix(await matchesOf(data));
    assert.deepEqual(confusedPairs(matrix), [
      { trueName: "dog", detectedName: "owl", count: 2, share: 1 },
      { trueName: "cat", detectedName: "owl", count: 1, share: 0.5 },
    ]);
    assert.equal(confusedPairs(matrix, 1).length, 1);
  });
});
