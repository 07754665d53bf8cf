import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { packageRoot } from "../../../ts/core/package.js";
import { seededRandom } from "../../../ts/core/random.js";
import { type SelectionPolicy, selectRows, takeRows } from "../../../ts/labels/select-rows.js";
import type { StoredBoxes } from "../../../ts/labels/store.js";
import { encodeCounts, fromBox, fromPolygon } from "../../../ts/masks/index.js";
import { temporaryFolder } from "../data/fixtures.js";
import { missingPython, runPython } from "../evaluation/python.js";

interface Row {
  readonly image: number;
  readonly box: readonly [number, number, number, number];
  readonly score: number;
  readonly label: number;
}

const toColumns = (rows: readonly Row[]): StoredBoxes => {
  const corner = (side: 0 | 1 | 2 | 3) => Float32Array.from(rows, ({ box }) => box[side]);
  return {
    image: Int32Array.from(rows, ({ image }) => image),
    x0: corner(0),
    y0: corner(1),
    x1: corner(2),
    y1: corner(3),
    score: Float32Array.from(rows, ({ score }) => score),
    class: Int32Array.from(rows, ({ label }) => label),
  };
};

/** The rules as they are said: slowly, with objects. */
function reference(rows: readonly Row[], policy: SelectionPolicy): { rows: number[]; dropped: object } {
  const selected: number[] = [];
  const dropped = { score: 0, min_side: 0, nms: 0, max_per_image: 0 };
  for (const image of new Set(rows.map((row) => row.image))) {
    const all = rows.flatMap((row, index) => (row.image === image ? [{ ...row, index }] : []));
    const scored = all.filter(({ score }) => score >= policy.score_threshold);
    const large = scored.filter(({ box: [left, top, right, bottom] }) => {
      return right > left && bottom > top && Math.min(right - left, bottom - top) >= policy.min_side_px;
    });
    let left = [...large].sort((a, b) => b.score - a.score || a.index - b.index);
    const apart = [];
    for (let best = left[0]; best !== undefined; best = left[0]) {
      const taken = best;
      apart.push(taken);
      left = left.slice(1).filter((row) => row.label !== taken.label || iou(row.box, taken.box) <= policy.nms_iou);
    }
    dropped.score += all.length - scored.length;
    dropped.min_side += scored.length - large.length;
    dropped.nms += large.length - apart.length;
    dropped.max_per_image += Math.max(0, apart.length - policy.max_per_image);
    selected.push(...apart.slice(0, policy.max_per_image).map(({ index }) => index));
  }
  return { rows: selected, dropped };
}

function iou(a: Row["box"], b: Row["box"]): number {
  const side = (low: 0 | 1, high: 2 | 3): number => Math.max(0, Math.min(a[high], b[high]) - Math.max(a[low], b[low]));
  const area = (box: Row["box"]): number => (box[2] - box[0]) * (box[3] - box[1]);
  const shared = side(0, 2) * side(1, 3);
  return shared / (area(a) + area(b) - shared);
}

/** Coarse numbers, so that boxes, scores and IoUs are often equal. */
const coordinate = fc.nat(12);
const rowsOfImages = fc
  .array(
    fc.record({
      image: fc.nat(4),
      box: fc.tuple(coordinate, coordinate, coordinate, coordinate),
      score: fc.nat(8).map((part) => part / 8),
      label: fc.nat(1),
    }),
    { maxLength: 60 },
  )
  .map((rows) => rows.sort((a, b) => a.image - b.image));
const policies = fc.record({
  score_threshold: fc.nat(8).map((part) => part / 8),
  nms_iou: fc.constantFrom(0, 0.25, 1 / 3, 0.5, 0.6, 1),
  max_per_image: fc.integer({ min: 1, max: 8 }),
  min_side_px: fc.nat(4),
});

describe("selecting rows", () => {
  it("gives what the slow reference gives, ties included", () => {
    fc.assert(
      fc.property(rowsOfImages, policies, (rows, policy) => {
        const { rows: selected, dropped } = selectRows(toColumns(rows), policy);
        assert.deepEqual({ rows: [...selected], dropped }, reference(rows, policy));
      }),
      { numRuns: 1000 },
    );
  });

  it("compares float32 scores with the threshold as the numbers that they are", () => {
    const row = (score: number): Row => ({ image: 0, box: [0, 0, 9, 9], score, label: 0 });
    const policy = { score_threshold: 0.4, nms_iou: 1, max_per_image: 9, min_side_px: 0 };
    // The float32 next to 0.4 is above it, that next to 0.7 below.
    assert.equal(selectRows(toColumns([row(0.4)]), policy).rows.length, 1);
    assert.equal(selectRows(toColumns([row(0.7)]), { ...policy, score_threshold: 0.7 }).rows.length, 0);
  });

  it("gives nothing of nothing", () => {
    const { rows } = selectRows(toColumns([]), { score_threshold: 0, nms_iou: 1, max_per_image: 1, min_side_px: 0 });
    assert.equal(rows.length, 0);
  });

  it("takes masks along", () => {
    const boxes = { ...toColumns([1, 2, 3].map((n) => ({ image: n, box: [0, 0, n, n], score: 1, label: 0 }))) };
    const taken = takeRows({ ...boxes, mask: ["a", "b", null] }, Uint32Array.of(1, 2));
    assert.deepEqual(
      [[...taken.x1], taken.mask],
      [
        [2, 3],
        ["b", null],
      ],
    );
  });

  describe("by the IoU of masks", () => {
    const policy = { score_threshold: 0, nms_iou: 0.3, max_per_image: 9, min_side_px: 0, nms_of: "masks" } as const;
    const maskOf = ([left, top, right, bottom]: Row["box"]): string =>
      encodeCounts(fromBox([left, top, right - left, bottom - top], 40, 40).counts);

    it("keeps what boxes keep where masks are boxes", () => {
      fc.assert(
        fc.property(rowsOfImages, policies, (rows, drawn) => {
          const boxes = { ...toColumns(rows), mask: rows.map(({ box }) => maskOf(box)) };
          const byBoxes = selectRows(boxes, { ...drawn, nms_of: "boxes" });
          assert.deepEqual(selectRows(boxes, { ...drawn, nms_of: "masks" }), byBoxes);
        }),
      );
    });

    it("keeps two objects that share a box, and drops one of two that share their pixels", () => {
      const upper = fromPolygon([0, 0, 20, 0, 20, 20], 40, 40);
      const lower = fromPolygon([0, 0, 0, 20, 20, 20], 40, 40);
      const rows = [0.9, 0.8, 0.7].map((score): Row => ({ image: 0, box: [0, 0, 20, 20], score, label: 0 }));
      const boxes = { ...toColumns(rows), mask: [upper, lower, upper].map(({ counts }) => encodeCounts(counts)) };
      assert.deepEqual([...selectRows(boxes, policy).rows], [0, 1]);
      assert.deepEqual([...selectRows(boxes, { ...policy, nms_of: "boxes" }).rows], [0]);
    });

    it("takes boxes where a prediction has no mask, or none has", () => {
      const rows = [0.9, 0.8].map((score): Row => ({ image: 0, box: [0, 0, 20, 20], score, label: 0 }));
      assert.deepEqual([...selectRows(toColumns(rows), policy).rows], [0]);
      const elsewhere = maskOf([30, 30, 40, 40]);
      assert.deepEqual([...selectRows({ ...toColumns(rows), mask: [elsewhere, null] }, policy).rows], [0]);
    });
  });

  it("keeps the boxes of the golden vectors that torchvision is tested with", async () => {
    const cases = JSON.parse(await readFile(join(packageRoot, "test/golden/nms.json"), "utf8"));
    for (const { name, boxes_xyxy, scores, groups, iou_threshold, kept } of cases) {
      const rows = scores.map((score: number, row: number) => ({
        image: 0,
        box: boxes_xyxy[row],
        score,
        label: groups?.[row] ?? 0,
      }));
      const isExact = rows.every(({ box, score }: Row) => [...box, score].every((n) => Math.fround(n) === n));
      const hasArea = rows.every(({ box: [left, top, right, bottom] }: Row) => right > left && bottom > top);
      if (!isExact || !hasArea) continue;
      const policy = { score_threshold: -1, nms_iou: iou_threshold, max_per_image: 1000, min_side_px: 0 };
      assert.deepEqual([...selectRows(toColumns(rows), policy).rows], kept, name);
    }
  });
});

describe("selecting rows and torchvision", () => {
  const path = temporaryFolder();

  before(function () {
    this.timeout(60_000);
    const missing = missingPython("torchvision");
    if (missing === undefined) return;
    console.log(`skipped: ${missing}`);
    this.skip();
  });

  it("keep the same boxes, per class and without classes", async () => {
    const random = seededRandom(1);
    const whole = (below: number): number => Math.floor(below * random());
    const rows = Array.from({ length: 3000 }, (_, index): Row => {
      const [x, y] = [whole(40), whole(40)];
      const box: Row["box"] = [x, y, x + 1 + whole(24), y + 1 + whole(24)];
      return { image: Math.floor(index / 60), box, score: whole(32) / 32, label: whole(3) };
    });
    await writeFile(path("rows.json"), JSON.stringify(rows));
    const script = `
import json, sys, torch
from torchvision.ops import batched_nms
rows = json.load(open(sys.argv[1]))
image = torch.tensor([row["image"] for row in rows])
boxes = torch.tensor([row["box"] for row in rows], dtype=torch.float64)
scores = torch.tensor([row["score"] for row in rows], dtype=torch.float64)
label = torch.tensor([row["label"] for row in rows])
def select(label, threshold):
    selected = []
    for at in range(int(image.max()) + 1):
        candidates = torch.where((image == at) & (scores >= threshold))[0]
        selected += candidates[batched_nms(boxes[candidates], scores[candidates], label[candidates], 0.5)[:20]].tolist()
    return selected
print(json.dumps([select(label, 0.3), select(torch.zeros_like(label), 0.3)]))`;
    const [perClass, agnostic] = JSON.parse(runPython(script, path("rows.json"))) as [number[], number[]];
    const policy = { score_threshold: 0.3, nms_iou: 0.5, max_per_image: 20, min_side_px: 0 };
    assert.deepEqual([...selectRows(toColumns(rows), policy).rows], perClass);
    const one = rows.map((row) => ({ ...row, label: 0 }));
    assert.deepEqual([...selectRows(toColumns(one), policy).rows], agnostic);
    assert.notDeepEqual(perClass, agnostic);
  }).timeout(60_000);
});
