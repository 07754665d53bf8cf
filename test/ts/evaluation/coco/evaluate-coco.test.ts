import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CasslError, type Reason } from "../../../../ts/core/errors.js";
import { packageRoot } from "../../../../ts/core/package.js";
import {
  type CocoGroundTruth,
  type CocoResult,
  createEvaluator,
  evaluateCoco,
} from "../../../../ts/evaluation/coco/index.js";

const parity = join(packageRoot, "../shared/data/coco-parity");

/** AP AP50 AP75 APs APm APl AR1 AR10 AR100 ARs ARm ARl by pycocotools 2.0.11. */
const knownAnswers = {
  bbox: {
    true: "0.504581 0.696973 0.572982 0.585626 0.519400 0.501398 0.386813 0.593680 0.595353 0.639811 0.566421 0.564291",
    false:
      "0.595238 0.880108 0.667898 0.593483 0.608930 0.603635 0.090482 0.506627 0.678072 0.665848 0.690000 0.690710",
  },
  segm: {
    true: "0.319545 0.562288 0.298927 0.387374 0.310183 0.326934 0.268230 0.415449 0.416839 0.469450 0.376759 0.381472",
    false:
      "0.324852 0.688749 0.252481 0.352161 0.303206 0.333687 0.058795 0.355422 0.481807 0.504914 0.465833 0.451366",
  },
};

describe("evaluateCoco on the detections of the COCO API", () => {
  before(function () {
    if (existsSync(parity)) return;
    console.log(`      skipped: ${parity} is not there`);
    this.skip();
  });

  for (const iouType of ["bbox", "segm"] as const) {
    for (const useCats of [true, false]) {
      it(`gives the known answers for ${iouType} ${useCats ? "with" : "without"} classes`, async () => {
        const gt = join(parity, "instances_val2014_100.json");
        const dt = join(parity, `instances_val2014_fake${iouType}100_results.json`);
        const { stats, warnings } = await evaluateCoco(gt, dt, { iouType, useCats });
        assert.equal(stats.map((value) => value.toFixed(6)).join(" "), knownAnswers[iouType][`${useCats}`]);
        assert.deepEqual(warnings, []);
      });
    }
  }
});

const groundTruth: CocoGroundTruth = {
  images: [{ id: 1 }, { id: 2 }],
  categories: [
    { id: 5, name: "cat" },
    { id: 9, name: "dog" },
  ],
  annotations: [{ id: 1, image_id: 1, category_id: 5, bbox: [0, 0, 40, 40], area: 1600, iscrowd: 0 }],
};
const right: CocoResult = { image_id: 1, category_id: 5, bbox: [0, 0, 40, 40], score: 0.9 };

describe("evaluateCoco", () => {
  it("gives a perfect detection the AP 1 and a class without ground truth -1", async () => {
    const { summary, perClass, axes, precision } = await evaluateCoco(groundTruth, [right]);
    assert.ok(Math.abs(summary.ap - 1) < 1e-12);
    assert.equal(summary.arMedium, 1);
    assert.equal(summary.apSmall, -1);
    assert.deepEqual(
      perClass.map(({ name, ap }) => [name, Math.round(ap)]),
      [
        ["cat", 1],
        ["dog", -1],
      ],
    );
    assert.deepEqual(axes.categoryIds, [5, 9]);
    assert.equal(precision.length, 10 * 101 * 2 * 4 * 3);
  });

  it("gives 0 to no detections and -1 to no ground truth", async () => {
    assert.equal((await evaluateCoco(groundTruth, [])).summary.ap, 0);
    assert.deepEqual((await evaluateCoco({ ...groundTruth, annotations: [] }, [right])).stats, Array(12).fill(-1));
  });

  it("accepts a detection of the wrong class only without classes", async () => {
    const wrongClass = [{ ...right, category_id: 9 }];
    assert.equal((await evaluateCoco(groundTruth, wrongClass)).summary.ap, 0);
    const agnostic = await evaluateCoco(groundTruth, wrongClass, { useCats: false });
    assert.ok(agnostic.summary.ap > 0.99);
    assert.deepEqual(agnostic.perClass, []);
  });

  it("leaves its input as it was", async () => {
    const freeze = (value: unknown): void => {
      if (typeof value === "object") Object.values(Object.freeze(value) ?? {}).forEach(freeze);
    };
    const input = structuredClone({ groundTruth, results: [right] });
    freeze(input);
    await evaluateCoco(input.groundTruth, input.results, { maxDets: Object.freeze([100, 1, 10]) });
  });

  it("gives the numbers that ask for a missing maxDets -1", async () => {
    const { summary } = await evaluateCoco(groundTruth, [right], { maxDets: [10, 1] });
    assert.deepEqual([summary.ap, summary.ap50, summary.ar1, summary.ar10, summary.ar100], [-1, -1, 1, 1, -1]);
  });

  it("warns of ids that pycocotools misreads", async () => {
    const twice = groundTruth.annotations.flatMap((annotation) => [annotation, annotation]);
    const { warnings } = await evaluateCoco({ ...groundTruth, annotations: twice.map((a) => ({ ...a, id: 0 })) }, [
      right,
    ]);
    assert.equal(warnings.length, 2);
    assert.deepEqual((await evaluateCoco(groundTruth, [right])).warnings, []);
  });

  it("warns of images and categories that are listed twice, and of records that are of none", async () => {
    const stray = groundTruth.annotations.map((annotation) => ({ ...annotation, id: 2, image_id: 77 }));
    const twice = {
      images: [...groundTruth.images, { id: 1 }],
      categories: [...groundTruth.categories, { id: 5, name: "cat" }],
      annotations: [...groundTruth.annotations, ...stray, { ...right, id: 3, area: 1, category_id: 6 }],
    };
    const { warnings, summary } = await evaluateCoco(twice, [right, { ...right, category_id: 99 }]);
    assert.ok(summary.ap > 0.99);
    assert.deepEqual(warnings, [
      "Ground-truth images share an id: as in pycocotools, they are one, with the values of the last of them.",
      "Ground-truth categories share an id: as in pycocotools, they are one, with the values of the last of them.",
      "Left out, as in pycocotools: 1 annotation whose image_id the ground truth does not list, " +
        "the first at position 1 with 77.",
      "Left out, as in pycocotools: 1 annotation whose category_id the ground truth does not list, " +
        "the first at position 2 with 6.",
      "Left out, as in pycocotools: 1 result whose category_id the ground truth does not list, " +
        "the first at position 1 with 99.",
    ]);
  });

  it("warns of negative sizes, which overlap nothing", async () => {
    const negative = { ...right, bbox: [40, 40, -40, -40] };
    const { warnings, summary } = await evaluateCoco(groundTruth, [right, negative, negative]);
    assert.match(
      warnings.join("\n"),
      /^2 boxes have a negative width or height \(the first is the result at position 1\)/,
    );
    assert.ok(summary.ap > 0.99);
  });

  it("warns of negative areas, which need not be found", async () => {
    const negative = groundTruth.annotations.map((annotation) => ({ ...annotation, id: 2, image_id: 2, area: -1 }));
    const annotations = [...groundTruth.annotations, ...negative];
    const { warnings, summary } = await evaluateCoco({ ...groundTruth, annotations }, [right]);
    assert.match(
      warnings.join("\n"),
      /^1 of the ground-truth annotations has a negative area \(the first is at position 1\)/,
    );
    assert.equal(summary.ar100, 1);
  });

  it("takes a missing iscrowd for 0, and does not read the field ignore", async () => {
    const annotations = groundTruth.annotations.map(({ iscrowd: _, ...annotation }) => ({ ...annotation, ignore: 1 }));
    const { precision, recall } = await evaluateCoco({ ...groundTruth, annotations }, [right]);
    const plain = await evaluateCoco(groundTruth, [right]);
    assert.deepEqual([precision, recall], [plain.precision, plain.recall]);
    assert.equal(plain.summary.ar100, 1);
  });

  it("does not reach the recall 0.7, which numpy.linspace puts a bit higher, with 7 of 10", async () => {
    const places = Array.from({ length: 10 }, (_, i) => ({ ...right, bbox: [50 * i, 0, 40, 40] }));
    const annotations = places.map((place, i) => ({ ...place, id: i + 1, area: 1600 }));
    const { precision, axes } = await evaluateCoco({ ...groundTruth, annotations }, places.slice(0, 7));
    const stride = axes.categoryIds.length * axes.areaRanges.length * axes.maxDets.length;
    const ofAllAreas = (r: number) => precision[r * stride + axes.maxDets.length - 1] as number;
    assert.ok(ofAllAreas(69) > 0.99);
    assert.equal(ofAllAreas(70), 0);
  });

  it("takes equal scores of many detections in the order given", async () => {
    const boxes = Array.from({ length: 500 }, (_, i) => ({ ...right, bbox: [(i * 7 + 20) % 40, 0, 40, 40] }));
    const equal = await evaluateCoco(groundTruth, boxes, { maxDets: [1, 10, 500] });
    const falling = boxes.map((result, i) => ({ ...result, score: 0.9 - i / 1000 }));
    const mixed = falling.toSorted((a, b) => (a.bbox[0] as number) - (b.bbox[0] as number));
    for (const results of [falling, mixed]) {
      const { precision, recall } = await evaluateCoco(groundTruth, results, { maxDets: [1, 10, 500] });
      assert.deepEqual([precision, recall], [equal.precision, equal.recall]);
    }
  });

  it("lets an IoU that is 1 but for rounding reach the threshold 1, and 0 the threshold 0", async () => {
    const apAt = async (iou: number, gtBox: number[], dtBox: number[]) => {
      const annotations = groundTruth.annotations.map((annotation) => ({ ...annotation, bbox: gtBox }));
      const results = [{ ...right, bbox: dtBox }];
      return (await evaluateCoco({ ...groundTruth, annotations }, results, { iouThresholds: [iou] })).summary.ap;
    };
    assert.ok((await apAt(1, [0, 0, 40, 40], [0, 0, 40 + 1e-9, 40])) > 0.99);
    assert.equal(await apAt(1, [0, 0, 40, 40], [0, 0, 40 + 1e-7, 40]), 0);
    assert.ok((await apAt(0, [5, 5, 0, 0], [5, 5, 0, 0])) > 0.99);
  });

  it("evaluates many thresholds as it evaluates few", async () => {
    const thresholds = Array.from({ length: 100 }, (_, t) => 1 - t / 100);
    const shifted = { ...right, bbox: [10, 0, 40, 40] };
    const { precision, axes } = await evaluateCoco(groundTruth, [shifted], { iouThresholds: thresholds });
    const stride = precision.length / thresholds.length;
    const atStarts = thresholds.map((_, t) => Math.round(precision[t * stride] as number));
    assert.deepEqual(
      atStarts,
      [...axes.iouThresholds].map((threshold) => (threshold <= 0.6 ? 1 : 0)),
    );
  });
});

describe("evaluateCoco refuses", () => {
  const annotation = groundTruth.annotations[0];
  const withAnnotation = (change: object) =>
    evaluateCoco({ ...groundTruth, annotations: [{ ...annotation, ...change } as CocoGroundTruth["annotations"][0]] }, [
      right,
    ]);
  const withResult = (change: object) => evaluateCoco(groundTruth, [{ ...right, ...change }]);

  const cases: [string, () => Promise<unknown>, Reason, RegExp][] = [
    [
      "keypoints",
      () => evaluateCoco(groundTruth, [], { iouType: "keypoints" as "segm" }),
      "CONFIG_INVALID",
      /iouType is "keypoints"/,
    ],
    [
      "half an image",
      () => evaluateCoco({ ...groundTruth, images: [{ id: 1.5 }] as never }, []),
      "ANNOTATIONS_INVALID",
      /position 0 has id 1.5/,
    ],
    ["no maxDets", () => evaluateCoco(groundTruth, [], { maxDets: [] }), "CONFIG_INVALID", /maxDets/],
    ["a fraction in maxDets", () => evaluateCoco(groundTruth, [], { maxDets: [1.5] }), "CONFIG_INVALID", /1.5/],
    [
      "a threshold that is no number",
      () => evaluateCoco(groundTruth, [], { iouThresholds: [NaN] }),
      "CONFIG_INVALID",
      /NaN/,
    ],
    [
      "a result of an unknown image",
      () => withResult({ image_id: 3 }),
      "ANNOTATIONS_INVALID",
      /position 0 has image_id 3/,
    ],
    [
      "a result of an image that is chosen but unknown",
      () => evaluateCoco(groundTruth, [{ ...right, image_id: 3 }], { imageIds: [1, 3] }),
      "ANNOTATIONS_INVALID",
      /position 0 has image_id 3/,
    ],
    ["a result without a score", () => withResult({ score: undefined }), "ANNOTATIONS_INVALID", /score undefined/],
    ["a box of three numbers", () => withResult({ bbox: [1, 2, 3] }), "ANNOTATIONS_INVALID", /bbox \[1,2,3\]/],
    [
      "an annotation without an area",
      () => withAnnotation({ area: undefined }),
      "ANNOTATIONS_INVALID",
      /area undefined/,
    ],
    ["an id that is a text", () => withAnnotation({ id: "7" }), "ANNOTATIONS_INVALID", /id "7"/],
  ];
  for (const [what, evaluate, reason, message] of cases) {
    it(what, () => assert.rejects(evaluate, isCasslError(reason, message)));
  }
});

describe("evaluateCoco on files refuses", () => {
  let folder: string;
  const truth = JSON.stringify(groundTruth);
  const result = JSON.stringify(right);
  const files = {
    "truth.json": truth,
    "cut.json": truth.slice(0, -20),
    "list.json": "[]",
    "nothing.json": "null",
    "nulls.json": "[null]",
    "more.json": `[${result}] []`,
    "stranger.json": `[${result}, ${result.replace('"image_id":1', '"image_id":7')}]`,
    "boxless.json": `[${result}, ${result.replace("bbox", "box")}]`,
    "nan.json": `[${result}, ${result.replace("0.9", "NaN")}]`,
    "infinite.json": `[${result.replace("0.9", "1e999")}]`,
    "text.json": `[${result.replace("0.9", '"0.9"')}]`,
    "huge.json": `[${result.replace('"image_id":1', '"image_id":9007199254740993')}]`,
    "crowd.json": truth.replace('"iscrowd":0', '"iscrowd":2'),
    "far.json": `[${result.replace("40,40", "1e200,40")}]`,
  };
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "cassl-coco-"));
    for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  });
  after(() => rm(folder, { recursive: true }));

  const cases: [string, string, string, Reason, RegExp][] = [
    ["a missing file", "missing.json", "list.json", "FILE_NOT_FOUND", /missing.json/],
    ["a folder", ".", "list.json", "FILE_NOT_FOUND", /cannot be read/],
    [
      "a file that is cut off",
      "cut.json",
      "list.json",
      "ANNOTATIONS_INVALID",
      /cut.json is cut off at byte 166, in the ann/,
    ],
    ["ground truth that is a list", "list.json", "list.json", "ANNOTATIONS_INVALID", /no list `images`/],
    ["ground truth that is null", "nothing.json", "list.json", "ANNOTATIONS_INVALID", /no list `images`/],
    ["results that are no list", "truth.json", "nothing.json", "ANNOTATIONS_INVALID", /not a list of results/],
    ["results that are null", "truth.json", "nulls.json", "ANNOTATIONS_INVALID", /position 0 of .*nulls.json is null/],
    ["results after results", "truth.json", "more.json", "ANNOTATIONS_INVALID", /not JSON at byte \d+: found "\[\]"/],
    [
      "an unknown image",
      "truth.json",
      "stranger.json",
      "ANNOTATIONS_INVALID",
      /position 1 of .*stranger.json has image_id 7/,
    ],
    ["a missing box", "truth.json", "boxless.json", "ANNOTATIONS_INVALID", /position 1 of .*has bbox undefined/],
    [
      "a score that is no number",
      "truth.json",
      "nan.json",
      "ANNOTATIONS_INVALID",
      /position 1 of .*nan.json has score NaN/,
    ],
    ["an infinite score", "truth.json", "infinite.json", "ANNOTATIONS_INVALID", /infinite.json has score Infinity/],
    [
      "a score that is a text",
      "truth.json",
      "text.json",
      "ANNOTATIONS_INVALID",
      /position 0 of .*text.json has score "0.9"/,
    ],
    [
      "an id that is no double",
      "truth.json",
      "huge.json",
      "ANNOTATIONS_INVALID",
      /image_id 9007199254740992, which .* 2\^53/,
    ],
    ["a crowd that is neither", "crowd.json", "list.json", "ANNOTATIONS_INVALID", /crowd.json has iscrowd 2/],
    ["a box whose area is no double", "truth.json", "far.json", "ANNOTATIONS_INVALID", /bbox \[0,0,1e\+200,40\]/],
  ];
  for (const [what, gt, dt, reason, message] of cases) {
    it(what, () => assert.rejects(evaluateCoco(join(folder, gt), join(folder, dt)), isCasslError(reason, message)));
  }
});

describe("evaluateCoco on columns refuses", () => {
  const good = {
    imageId: Int32Array.of(1),
    categoryId: Int32Array.of(5),
    boxXywh: Float32Array.of(0, 0, 40, 40),
    score: Float32Array.of(0.5),
  };
  const cases: [string, object, RegExp][] = [
    ["other lengths", { score: Float32Array.of(0.5, 0.6) }, /imageId 1, categoryId 1, boxXywh 4, score 2 numbers/],
    ["boxes of three numbers", { boxXywh: Float32Array.of(0, 0, 40) }, /boxXywh 3/],
    ["a list", { score: [0.5] }, /score of each result is no typed array/],
    ["a missing column", { categoryId: undefined }, /categoryId of each result is no typed array/],
    ["NaN", { score: Float32Array.of(NaN) }, /position 0 has score NaN/],
    ["a fraction as an id", { categoryId: Float64Array.of(1.5) }, /category_id 1.5, which is not a whole number/],
  ];
  for (const [what, change, message] of cases) {
    it(what, () =>
      assert.rejects(evaluateCoco(groundTruth, { ...good, ...change }), isCasslError("ANNOTATIONS_INVALID", message)),
    );
  }
});

describe("createEvaluator", () => {
  it("evaluates what was added by now, also in several steps", async () => {
    const evaluator = await createEvaluator(groundTruth);
    assert.equal(evaluator.evaluate().summary.ap, 0);
    evaluator.add(2, []);
    evaluator.add(1, [{ ...right, category_id: 9 }]);
    evaluator.add(1, [right]);
    assert.ok(evaluator.evaluate().summary.ap > 0.99);
    evaluator.add(1, { categoryId: Int32Array.of(5), boxXywh: Float64Array.of(0, 0, 9, 9), score: Float64Array.of(1) });
    assert.ok(evaluator.evaluate().summary.ap < 0.6);
  });

  it("refuses an image and a value when they are added, and goes on without them", async () => {
    const evaluator = await createEvaluator(groundTruth);
    const isInvalid = (message: RegExp) => isCasslError("ANNOTATIONS_INVALID", message);
    assert.throws(() => evaluator.add(3, []), isInvalid(/image 3, which is not in the ground truth/));
    assert.throws(
      () => evaluator.add(1, [right, { ...right, score: NaN }]),
      isInvalid(/image 1 at position 1 has score NaN/),
    );
    evaluator.add(1, [right]);
    assert.ok(evaluator.evaluate().summary.ap > 0.99);
  });
});

function isCasslError(reason: Reason, message: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof CasslError && error.reason === reason && message.test(error.message);
}
