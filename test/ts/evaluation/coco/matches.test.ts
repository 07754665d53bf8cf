import assert from "node:assert/strict";
import { CasslError } from "../../../../ts/core/errors.js";
import {
  type CocoGroundTruth,
  type CocoMatches,
  evaluateCoco,
  FALSE_POSITIVE,
  IGNORED,
  TRUE_POSITIVE,
} from "../../../../ts/evaluation/coco/index.js";
import { missingPython, runGolden } from "../python.js";
import { type CocoInput, evaluateCase, type SegmInput } from "./cases.js";

/** One entry of pycocotools' `evalImgs`, of the area range "all". */
interface ImageMatches {
  readonly image: number;
  /** -1 without classes. */
  readonly category: number;
  readonly dtIds: number[];
  /** (T, D). Ids of ground truth, 0 for none. */
  readonly dtMatches: number[][];
  /** (T, D). */
  readonly dtIgnore: number[][];
  readonly gtIds: number[];
  readonly gtIgnore: number[];
  /** (T, G). Ids of detections, 0 for none. */
  readonly gtMatches: number[][];
}

type MatchCase = (CocoInput | SegmInput) & { readonly matches: readonly ImageMatches[] };

describe("matches", () => {
  for (const [what, command] of [
    ["boxes", "match-cases"],
    ["masks", "segm-match-cases"],
  ] as const) {
    it(`are those of pycocotools on random evaluations of ${what}`, async function () {
      this.timeout(60_000);
      const missing = missingPython("pycocotools");
      if (missing !== undefined) {
        console.log(`      skipped: ${missing}`);
        this.skip();
      }
      const cases = JSON.parse(runGolden(command, "--seed", "2", "--count", "300")) as MatchCase[];
      for (const matchCase of cases) await assertMatchesAre(matchCase);
    });
  }

  const crowd = { id: 7, image_id: 4, category_id: 5, bbox: [0, 0, 100, 100], area: 9000, iscrowd: 1 };
  const groundTruth: CocoGroundTruth = {
    images: [{ id: 4 }, { id: 2 }],
    categories: [
      { id: 5, name: "cat" },
      { id: 9, name: "dog" },
    ],
    annotations: [crowd, { id: 3, image_id: 4, category_id: 9, bbox: [0, 0, 10, 10], area: 100 }],
  };
  const results = [
    { image_id: 2, category_id: 9, bbox: [0, 0, 5, 5], score: 0.1 },
    { image_id: 4, category_id: 5, bbox: [0, 0, 10, 20], score: 0.2 },
    { image_id: 4, category_id: 9, bbox: [0, 0, 10, 16], score: 0.3 },
  ];

  it("are tables by class and descending score, with what became of each detection", async () => {
    const { matches } = await evaluateCoco(groundTruth, results, { matches: true, iouThresholds: [0.5, 0.75] });
    const { detections, groundTruth: gt } = matches;
    assert.deepEqual([...detections.row], [1, 2, 0]);
    assert.deepEqual([...detections.classStarts], [0, 1, 3]);
    assert.deepEqual(
      [...detections.image].map((image) => matches.imageIds[image]),
      [4, 4, 2],
    );
    assert.deepEqual([...detections.area], [200, 160, 25]);
    assert.deepEqual([...detections.boxXywh.slice(4, 8)], [0, 0, 10, 16]);
    const [ignored, right, wrong] = [IGNORED, TRUE_POSITIVE, FALSE_POSITIVE];
    assert.deepEqual([...detections.outcome], [ignored, right, wrong, ignored, wrong, wrong]);
    assert.deepEqual([...detections.groundTruth], [0, 1, -1, 0, -1, -1]);
    assert.deepEqual([...detections.iou], [1, 0.625, 0, 1, 0, 0]);
    assert.deepEqual([...gt.ignored], [1, 0]);
    assert.deepEqual([...gt.detection], [0, 1, 0, -1]);
  });

  it("list what a detection overlaps, of any class", async () => {
    const { matches } = await evaluateCoco(groundTruth, results, { matches: true });
    const { starts, groundTruth: overlapped, iou } = matches.overlaps;
    assert.deepEqual([...starts], [0, 2, 4, 4]);
    assert.deepEqual([...overlapped], [0, 1, 0, 1]);
    assert.deepEqual([...iou], [1, 0.5, 1, 0.625]);
  });

  it("have one class without classes", async () => {
    const { matches } = await evaluateCoco(groundTruth, results, { matches: true, useCats: false });
    assert.deepEqual(matches.categories, [{ id: -1, name: "any" }]);
    assert.deepEqual([...matches.detections.row], [2, 1, 0]);
  });

  it("need a range of all areas", async () => {
    const areaRanges = [{ name: "tiny", min: 0, max: 9 }];
    await assert.rejects(
      evaluateCoco(groundTruth, results, { matches: true, areaRanges }),
      (error) => error instanceof CasslError && error.reason === "CONFIG_INVALID" && /tiny/.test(error.message),
    );
  });
});

async function assertMatchesAre(matchCase: MatchCase): Promise<void> {
  const { matches } = await evaluateCase(matchCase);
  const actual = matchCase.matches.map(({ image, category }) => imageMatches(matches, image, category));
  assert.deepEqual(actual, matchCase.matches);
  const count = matchCase.matches.reduce((sum, { dtIds }) => sum + dtIds.length, 0);
  assert.equal(matches.detections.row.length, count, "detections that pycocotools does not have");
  assertIousAreOverlaps(matches);
}

/** Our tables as pycocotools' lists of one image and class. */
function imageMatches(
  { axes, imageIds, detections: dt, groundTruth: gt }: CocoMatches,
  image: number,
  category: number,
): ImageMatches {
  const rowsOf = (table: typeof dt | typeof gt): number[] =>
    Array.from(table.row.keys()).filter(
      (row) =>
        imageIds[table.image[row] as number] === image && axes.categoryIds[table.category[row] as number] === category,
    );
  const at = (list: ArrayLike<number>, row: number): number => list[row] as number;
  const dtRows = rowsOf(dt).sort((a, b) => at(dt.rankInImage, a) - at(dt.rankInImage, b));
  const gtRows = rowsOf(gt).sort((a, b) => at(gt.ignored, a) - at(gt.ignored, b));
  const perThreshold = <T>(rows: number[], cell: (row: number, t: number) => T): T[][] =>
    Array.from(axes.iouThresholds.keys(), (t) => rows.map((row) => cell(row, t)));
  return {
    image,
    category,
    dtIds: dtRows.map((row) => at(dt.row, row) + 1),
    dtMatches: perThreshold(dtRows, (row, t) => {
      const taken = at(dt.groundTruth, t * dt.row.length + row);
      return taken < 0 ? 0 : at(gt.id, taken);
    }),
    dtIgnore: perThreshold(dtRows, (row, t) => (at(dt.outcome, t * dt.row.length + row) === IGNORED ? 1 : 0)),
    gtIds: gtRows.map((row) => at(gt.id, row)),
    gtIgnore: gtRows.map((row) => at(gt.ignored, row)),
    gtMatches: perThreshold(gtRows, (row, t) => {
      const taker = at(gt.detection, t * gt.row.length + row);
      return taker < 0 ? 0 : at(dt.row, taker) + 1;
    }),
  };
}

function assertIousAreOverlaps({ detections, overlaps }: CocoMatches): void {
  detections.groundTruth.forEach((taken, at) => {
    if (taken < 0) return;
    const row = at % detections.row.length;
    const pair = overlaps.groundTruth.indexOf(taken, overlaps.starts[row]);
    // IoU 0 is a match where the threshold is 0, but no overlap.
    const iou = pair >= 0 && pair < (overlaps.starts[row + 1] as number) ? overlaps.iou[pair] : 0;
    assert.equal(detections.iou[at], iou);
  });
}
