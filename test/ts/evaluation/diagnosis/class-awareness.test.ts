import assert from "node:assert/strict";
import { evaluateCoco } from "../../../../ts/evaluation/coco/index.js";
import { compareClassAwareness, withOracleClasses } from "../../../../ts/evaluation/diagnosis/index.js";
import { type DataSet, matchesOf, placed, randomDataSet } from "./fixtures.js";

async function compare({ groundTruth, results }: DataSet) {
  const evaluation = await evaluateCoco(groundTruth, results, { matches: true });
  return compareClassAwareness(evaluation, groundTruth, results);
}

describe("compareClassAwareness", () => {
  it("shows what only the names of the classes cost", async () => {
    const { classAware, classAgnostic, oracleClass } = await compare(placed("1 cat 0, 2 dog 0", "1 dog 0, 2 cat 0"));
    assert.equal(classAware.ap, 0);
    for (const { ap } of [classAgnostic, oracleClass]) assert.ok(Math.abs(ap - 1) < 1e-12);
  });

  it("has the numbers of the evaluations with and without classes", async () => {
    const { groundTruth, results } = randomDataSet(4);
    const { classAware, classAgnostic } = await compare({ groundTruth, results });
    assert.deepEqual(classAware, (await evaluateCoco(groundTruth, results)).summary);
    assert.deepEqual(classAgnostic, (await evaluateCoco(groundTruth, results, { useCats: false })).summary);
  });
});

describe("withOracleClasses", () => {
  const classesOf = async (data: DataSet): Promise<number[]> =>
    withOracleClasses(data.results, await matchesOf(data)).map((result) => result.category_id);

  it("takes the class of the object that is overlapped most, and keeps that of a detection of nothing", async () => {
    assert.deepEqual(
      await classesOf(placed("1 cat 0, 1 dog 30", "1 owl 10, 1 owl 20, 1 owl 300, 2 cat 0")),
      [1, 2, 3, 1],
    );
  });

  it("takes the class of a crowd only where there is no object", async () => {
    const { groundTruth, results } = placed("1 cat 0, 1 dog 10", "1 owl 0, 1 owl 45");
    const annotations = groundTruth.annotations.map((annotation, row) => {
      return row === 0 ? annotation : { ...annotation, bbox: [0, 0, 90, 90], iscrowd: 1 };
    });
    assert.deepEqual(await classesOf({ groundTruth: { ...groundTruth, annotations }, results }), [1, 2]);
  });

  it("keeps everything else and the order of the results", async () => {
    const { groundTruth, results } = randomDataSet(3);
    const named = withOracleClasses(results, await matchesOf({ groundTruth, results }));
    assert.deepEqual(
      named.map(({ category_id: _, ...rest }) => rest),
      results.map(({ category_id: _, ...rest }) => rest),
    );
  });
});
