import assert from "node:assert/strict";
import { type Filter, filterImages, type Sort, sortImages } from "../../../ts/dashboard/view/label-order.js";
import {
  boxAt,
  type JudgedTable,
  keptOf,
  matchImage,
  outcomeOf,
  scoreAt,
} from "../../../ts/dashboard/view/label-table.js";
import type { ReviewedImage } from "../../../ts/dashboard/wire/labels.js";
import { exampleImages, tableOf } from "./predicted-images.js";

function judged(seed: number): JudgedTable {
  const table = tableOf(exampleImages(seed));
  return { table, matches: table.files.map((_, image) => matchImage(table, image)) };
}

const positions = ({ table }: JudgedTable): number[] => [...table.files.keys()];
const errorsOf = ({ table, matches }: JudgedTable, image: number, threshold: number): number => {
  const { wrong, missed } = outcomeOf(matches[image]!, keptOf(table, image, threshold));
  return wrong + missed;
};

describe("order of labels", () => {
  const THRESHOLD = 0.3;
  const labels = judged(5);
  const { table } = labels;
  const sorted = (sort: Sort): number[] => sortImages(labels, positions(labels), sort, THRESHOLD);
  const entropy = (image: number): number => {
    const [start, end] = [table.starts[image] as number, table.starts[image + 1] as number];
    const scores = Array.from({ length: end - start }, (_, at) => scoreAt(table, start + at));
    const bits = (share: number): number => (share === 0 ? 0 : -share * Math.log2(share));
    return scores.reduce((sum, score) => sum + bits(score) + bits(1 - score), 0);
  };
  const largest = (image: number): number => {
    const start = table.starts[image] as number;
    const rows = Array.from({ length: keptOf(table, image, THRESHOLD) }, (_, at) => start + at);
    return Math.max(0, ...rows.map((row) => boxAt(table, row)[2] * boxAt(table, row)[3]));
  };

  it("has what is most worth a look first, equal ones in their order", () => {
    const worths: Readonly<Record<Exclude<Sort, "order">, (image: number) => number>> = {
      uncertainty: entropy,
      boxes: (image) => keptOf(table, image, THRESHOLD),
      disagreement: (image) => errorsOf(labels, image, THRESHOLD),
      size: largest,
    };
    for (const [sort, worth] of Object.entries(worths)) {
      const wanted = positions(labels).sort((a, b) => worth(b) - worth(a) || a - b);
      assert.deepEqual(sorted(sort as Sort), wanted);
    }
    assert.deepEqual(sorted("order"), positions(labels));
  });

  it("sorts only what it is given", () => {
    assert.deepEqual(sortImages(labels, [7, 2], "order", THRESHOLD), [7, 2]);
    assert.deepEqual(sortImages(labels, [7, 2], "boxes", 1.1), [2, 7]);
  });
});

describe("filter of labels", () => {
  /** So high that some images have no errors. */
  const THRESHOLD = 0.95;
  const labels = judged(6);
  const review = (file_name: string, verdict: ReviewedImage["verdict"]) =>
    [file_name, { file_name, verdict, objects: [] }] as const;
  const reviews = new Map([review("4", "accepted"), review("1", "rejected"), review("0", "accepted")]);
  const filtered = (filter: Filter): number[] => filterImages(labels, filter, THRESHOLD, reviews);

  it("goes by what people have said", () => {
    assert.deepEqual(filtered("all"), positions(labels));
    assert.deepEqual(filtered("accepted"), [0, 4]);
    assert.deepEqual(filtered("rejected"), [1]);
    assert.deepEqual(
      filtered("not reviewed"),
      positions(labels).filter((image) => ![0, 1, 4].includes(image)),
    );
  });

  it("finds errors where objects are known", () => {
    const wanted = positions(labels).filter((image) => errorsOf(labels, image, THRESHOLD) > 0);
    assert.ok(wanted.length > 0 && wanted.length < labels.table.files.length);
    assert.deepEqual(filtered("with errors"), wanted);
    const unknown = { ...labels, matches: labels.matches.map((match, image) => (image % 2 === 0 ? match : undefined)) };
    assert.deepEqual(
      filterImages(unknown, "with errors", THRESHOLD, reviews),
      wanted.filter((image) => image % 2 === 0),
    );
  });
});
