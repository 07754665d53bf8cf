import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../../../ts/core/package.js";
import {
  type CocoMatches,
  evaluateCoco,
  readCocoGroundTruth,
  readCocoResults,
} from "../../../../ts/evaluation/coco/index.js";
import { type ErrorKind, type ErrorSplit, errorKinds, splitErrors } from "../../../../ts/evaluation/diagnosis/index.js";
import { type CocoInput, evaluateCase } from "../coco/cases.js";
import { matchesOf, missingParity, parity, placed, randomDataSet } from "./fixtures.js";

/** What scripts/golden_tide.py writes, by tidecv's names. */
interface TideSplit {
  readonly ap: number;
  readonly gained: Readonly<Record<string, number>>;
  readonly counts: Readonly<Record<string, number>>;
}

type TideCase = CocoInput & { readonly expected: TideSplit };

const NAMES = ["Cls", "Loc", "Both", "Dupe", "Bkg", "Miss"];

describe("splitErrors equals tidecv", () => {
  it("on the golden vectors", async () => {
    for (const tideCase of golden<TideCase>("tide.json"))
      assertEqualsTidecv((await evaluateCase(tideCase)).matches, tideCase.expected);
  });

  it("on the detections of the COCO API, with equal scores made different", async function () {
    this.timeout(60_000);
    const missing = missingParity();
    if (missing !== undefined) {
      console.log(`      skipped: ${missing}`);
      this.skip();
    }
    const results = (await readCocoResults(parity.dt)).map((result, row) => {
      return { ...result, score: result.score - row * 1e-9 };
    });
    const groundTruth = await readCocoGroundTruth(parity.gt);
    const [expected = assert.fail()] = golden<TideSplit>("tide-coco-api.json");
    assertEqualsTidecv(await matchesOf({ groundTruth, results }), expected);
  });
});

function golden<Case>(name: string): Case[] {
  return JSON.parse(readFileSync(join(packageRoot, "test/golden", name), "utf8")) as Case[];
}

/** tidecv samples recall at k / 100, where COCO takes numpy.linspace, which is higher by a bit at some k. */
function assertEqualsTidecv(matches: CocoMatches, expected: TideSplit): void {
  const recallThresholds = Float64Array.from({ length: 101 }, (_, k) => k / 100);
  const actual = splitErrors({ ...matches, axes: { ...matches.axes, recallThresholds } });
  const close = (name: string, one: number, other: number | undefined): void =>
    assert.ok(Math.abs(one - (other ?? NaN)) < 1e-9, `${name}: ${one}, not ${other}`);
  close("ap", actual.ap, expected.ap);
  errorKinds.forEach((kind, i) => {
    const name = NAMES[i] ?? "";
    assert.equal(actual.kinds[kind].count, expected.counts[name], `count of ${kind}`);
    close(kind, actual.kinds[kind].apGained, expected.gained[name]);
  });
  close("false positives", actual.falsePositives.apGained, expected.gained["FalsePos"]);
  close("false negatives", actual.falseNegatives.apGained, expected.gained["FalseNeg"]);
}

describe("splitErrors", () => {
  const split = async (objects: string, detections: string): Promise<ErrorSplit> =>
    splitErrors(await matchesOf(placed(objects, detections)));

  // One error each, with the AP at IoU 0.5 without it and, if it can be seen, with it.
  const single: [ErrorKind, objects: string, detections: string][] = [
    ["classification", "1 cat 0, 1 dog 100", "1 dog 0, 1 dog 100"],
    ["localization", "1 cat 0, 1 dog 100", "1 cat 20, 1 dog 100"],
    ["both", "1 cat 0, 1 dog 100", "1 cat 0, 1 dog 20, 1 dog 100"],
    ["duplicate", "1 cat 0, 1 cat 100", "1 cat 0, 1 cat 2, 1 cat 100"],
    ["background", "1 cat 0, 1 cat 100", "1 cat 300, 1 cat 0, 1 cat 100"],
    ["missed", "1 cat 0, 1 cat 100", "1 cat 0"],
  ];
  for (const [kind, objects, detections] of single) {
    it(`finds nothing but one error of the kind ${kind}, and all AP is gained by fixing it`, async () => {
      const { ap, kinds } = await split(objects, detections);
      const counts = errorKinds.map((name) => kinds[name].count);
      assert.deepEqual(
        counts,
        errorKinds.map((name) => (name === kind ? 1 : 0)),
      );
      assert.ok(ap < 0.99);
      assert.ok(Math.abs(ap + kinds[kind].apGained - 1) < 1e-12);
      for (const other of errorKinds) if (other !== kind) assert.equal(kinds[other].apGained, 0);
    });
  }

  it("compares masks if the evaluation did, exactly also below its thresholds", async () => {
    const groundTruth = {
      images: [{ id: 1, width: 100, height: 100 }],
      categories: [{ id: 1, name: "cat" }],
      annotations: [{ id: 1, image_id: 1, category_id: 1, ...box(0, 40, 40), area: 1600 }],
    };
    // The box is right, but its mask has only 30 % of the object.
    const results = [{ image_id: 1, category_id: 1, bbox: box(0, 40, 40).bbox, ...mask(0, 40, 12), score: 0.9 }];
    const kindsOf = async (iouType: "bbox" | "segm"): Promise<number[]> => {
      const { kinds } = splitErrors(await matchesOf({ groundTruth, results }, { iouType }));
      return errorKinds.map((kind) => kinds[kind].count);
    };
    assert.deepEqual(await kindsOf("bbox"), [0, 0, 0, 0, 0, 0]);
    assert.deepEqual(await kindsOf("segm"), [0, 1, 0, 0, 0, 0]);
  });

  it("fixes only the best-scored detection of an object", async () => {
    const { ap, kinds } = await split("1 cat 0, 1 cat 100", "1 dog 0, 1 owl 0, 1 cat 100");
    assert.equal(kinds.classification.count, 2);
    assert.ok(Math.abs(ap + kinds.classification.apGained - 1) < 1e-12);
    assert.equal(kinds.missed.count, 0);
  });

  it("counts as false positives and negatives what the matches say, and the AP is the AP50 of the evaluation", async () => {
    for (let seed = 0; seed < 20; seed++) {
      const { groundTruth, results } = randomDataSet(seed);
      const { matches, summary } = await evaluateCoco(groundTruth, results, { matches: true });
      const { ap, kinds, falsePositives, falseNegatives } = splitErrors(matches);
      const { missed, ...wrong } = kinds;
      assert.equal(ap, summary.ap50);
      assert.equal(
        Object.values(wrong).reduce((sum, { count }) => sum + count, 0),
        falsePositives.count,
      );
      assert.ok(missed.count <= falseNegatives.count);
    }
  });

  it("is without gain where there is no ground truth", async () => {
    const { groundTruth, results } = placed("1 cat 0", "1 cat 0");
    const empty = { ...groundTruth, annotations: [] };
    const { ap, falsePositives } = splitErrors(await matchesOf({ groundTruth: empty, results }));
    assert.deepEqual([ap, falsePositives], [-1, { count: 1, apGained: 0 }]);
  });
});

function mask(x: number, width: number, height: number): { segmentation: number[][] } {
  return { segmentation: [[x, 0, x, height, x + width, height, x + width, 0]] };
}

/** With a mask of the same shape. */
function box(x: number, width: number, height: number): { bbox: number[]; segmentation: number[][] } {
  return { bbox: [x, 0, width, height], ...mask(x, width, height) };
}
